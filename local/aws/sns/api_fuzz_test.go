package sns

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"restock/local/aws/awsapi"
	"restock/local/aws/sqs"
	"restock/test/fuzzing"
)

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzAPI checks two properties: a call gets a well-formed XML answer, which blames the caller for
// an invalid call; every log record is one line.
func FuzzAPI(f *testing.F) {
	const topic = "TopicArn=arn%3Aaws%3Asns%3Aap-northeast-2%3A000000000000%3Astock_empty"
	for _, form := range []string{
		"Action=Publish&" + topic +
			"&Message=%EB%8F%84&Subject=a%0Ab&MessageAttributes.entry.1.Name=sku&" +
			"MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=x",
		"Action=Publish&" + topic +
			"&Message=a%00%1b%5B31m%ff&MessageAttributes.entry.1.Name=b&" +
			"MessageAttributes.entry.1.Value.DataType=Binary&MessageAttributes.entry.1.Value.BinaryValue=AAE%3D",
		"Action=PublishBatch&" + topic +
			"&PublishBatchRequestEntries.member.1.Id=a&PublishBatchRequestEntries.member.1.Message=x&" +
			"PublishBatchRequestEntries.member.2.Id=a&PublishBatchRequestEntries.member.2.Message=",
		"Action=Subscribe&" + topic +
			"&Protocol=sqs&Endpoint=arn%3Aaws%3Asqs%3Aap-northeast-2%3A000000000000%3Astock_queue&" +
			"Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value=%7B%22a%22%3A%5B1%5D%7D&" +
			"ReturnSubscriptionArn=true",
		"Action=CreateTopic&Name=%3Cx%3E&Attributes.entry.1.key=Policy&Attributes.entry.1.value=null",
		"Action=ListSubscriptionsByTopic&" + topic + "&NextToken=-1",
		"Action=GetTopicAttributes&" + topic + "&" + topic, "Action=Publish&Action=ListTopics", "Action=%3C%2FCode%3E",
		"Action=Publish&Message.1=x&.=&%zz", ";",
	} {
		f.Add(form, "2010-03-31")
	}
	f.Fuzz(func(t *testing.T, form, version string) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		queues := sqs.New(sqs.Config{BaseURL: "http://x", Region: "ap-northeast-2", AccountID: "000000000000"}, logger)
		defer queues.Close()
		queue, err := queues.CreateQueue(sqs.NewQueueConfig("stock_queue"))
		if err != nil {
			t.Fatal(err)
		}
		s := New(Config{Region: "ap-northeast-2", AccountID: "000000000000", Queues: queues}, logger)
		topic, err := s.CreateTopic(TopicConfig{Name: "stock_empty"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := topic.Subscribe(SubscriptionConfig{QueueARN: queue.ARN()}); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form+"&Version="+version))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		awsapi.NewHandler(logger, s.API()).ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError || strings.Contains(log.String(), "failed inside") {
			t.Errorf("%q: got %d %s, and the log\n%s", form, w.Code, w.Body, &log)
		}
		if w.Header().Get("Content-Type") == "text/xml" {
			if err := readXML(w.Body); err != nil {
				t.Errorf("%q: the answer cannot be read: %v", form, err)
			}
		}
		for line := range strings.Lines(log.String()) {
			if !strings.HasPrefix(line, "time=") {
				t.Errorf("%q: the log has the line %q", form, line)
			}
		}
	})
}

// readXML reads a document to its end.
func readXML(r io.Reader) error {
	decoder := xml.NewDecoder(r)
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
