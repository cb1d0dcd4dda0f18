package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestConsumerLogsMessagesAndReportsFailures(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })

	response, err := handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "first", Body: `{"input": 1}`},
		{MessageId: "bad", Body: `{"input": "one"}`},
		{MessageId: "last", Body: `{"input": 2}`},
	}})
	if err != nil {
		t.Fatalf("got an error, so Lambda would retry the whole batch: %v", err)
	}
	if got := response.BatchItemFailures; len(got) != 1 || got[0].ItemIdentifier != "bad" {
		t.Errorf("got the failures %v, want only message bad", got)
	}
	for _, want := range []string{
		`level=INFO msg="메시지를 받았습니다. 입력값: 1, 결과: 2" message_id=first`,
		`level=ERROR msg="message failed" message_id=bad`,
		`level=INFO msg="메시지를 받았습니다. 입력값: 2, 결과: 3" message_id=last`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("got the log\n%s\nwant %s", log.String(), want)
		}
	}
}
