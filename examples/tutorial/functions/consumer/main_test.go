package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestConsumerLogsEachMessageAndReportsThoseThatFailed(t *testing.T) {
	var log bytes.Buffer
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(was) })

	response, err := handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "first", Body: `{"input": 1}`},
		{MessageId: "bad", Body: `{"input": "one"}`},
		{MessageId: "last", Body: `{"input": 2}`},
	}})
	if err != nil {
		t.Fatalf("got an error, and the whole batch would be tried again: %v", err)
	}
	if got := response.BatchItemFailures; len(got) != 1 || got[0].ItemIdentifier != "bad" {
		t.Errorf("reported are %v, want the message bad alone: others would be deleted, or handled twice", got)
	}
	for _, want := range []string{
		`level=INFO msg="메시지를 받았습니다. 입력값: 1, 결과: 2" message_id=first`, "level=ERROR msg=\"message failed\" message_id=bad",
		`level=INFO msg="메시지를 받았습니다. 입력값: 2, 결과: 3" message_id=last`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("logged is\n%s\nwant %s", log.String(), want)
		}
	}
}
