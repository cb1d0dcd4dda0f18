package sqs

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"restock/local/aws/awsapi"
	"restock/test/fuzzing"
)

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzAPI checks three properties: a call gets a JSON answer, which blames the caller for an
// invalid call; the lists in the answer are within the limits; every log record is one line.
func FuzzAPI(f *testing.F) {
	const queue = `"QueueUrl":"http://127.0.0.1:4566/000000000000/stock_queue"`
	for _, seed := range [][2]string{
		{"SendMessage", `{` + queue + `,"MessageBody":"도너츠","DelaySeconds":0,` +
			`"MessageAttributes":{"a":{"DataType":"Number.int","StringValue":"1e5"},"b":{"DataType":"Binary",` +
			`"BinaryValue":"AAE="}}}`},
		{"SendMessage", `{` + queue + `,"MessageBody":"a","DelaySeconds":36028797018963968}`},
		{"SendMessage", `{` + queue + `,"MessageBody":"a\u0000b"}`},
		{"SendMessage", `{` + queue + `,"MessageBody":"a","MessageGroupId":"a b","MessageSystemAttributes":` +
			`{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1-5759e988-bd862e3fe1be46a994272793"}}}`},
		{"SendMessageBatch", `{` + queue + `,"Entries":[{"Id":"1","MessageBody":"a"},{"Id":"1","MessageBody":"b"}]}`},
		{"ReceiveMessage", `{` + queue + `,"MaxNumberOfMessages":10,"WaitTimeSeconds":20,` +
			`"MessageAttributeNames":["b.*","All"],"AttributeNames":["All"]}`},
		{"ReceiveMessage", `{` + queue + `,"VisibilityTimeout":9223372036854775807,"WaitTimeSeconds":-1}`},
		{"DeleteMessage", `{` + queue + `,"ReceiptHandle":"YSBiIGM="}`},
		{"ChangeMessageVisibilityBatch",
			`{` + queue + `,"Entries":[{"Id":"1","ReceiptHandle":"x","VisibilityTimeout":5}]}`},
		{"CreateQueue", `{"QueueName":"a\nb","Attributes":{"VisibilityTimeout":"5"},"tags":{"a":"b"}}`},
		{"SetQueueAttributes",
			`{` + queue + `,"Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:ap-northeast-2:` +
				`000000000000:dead\",\"maxReceiveCount\":\"5\"}"}}`},
		{"SetQueueAttributes", `{` + queue + `,"Attributes":{"Policy":"{\"Statement\":null}"}}`},
		{"GetQueueAttributes", `{` + queue + `,"AttributeNames":["All"]}`},
		{"StartMessageMoveTask",
			`{"SourceArn":"arn:aws:sqs:ap-northeast-2:000000000000:dead","MaxNumberOfMessagesPerSecond":1}`},
		{"ListQueues", `{"MaxResults":1,"NextToken":"1"}`},
		{"GetQueueUrl", `{"QueueName":"stock_queue","QueueName":null}`},
		{"Sing", `[]`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		synctest.Test(t, func(t *testing.T) { // a 20 second wait takes no real time
			s := newService()
			defer s.Close()
			dead := newQueue(t, s, "dead")
			q := newQueue(t, s, "stock_queue", redriveTo(dead, 3))
			send(t, q, "a message")
			var log bytes.Buffer
			handler := awsapi.NewHandler(slog.New(slog.NewTextHandler(&log, nil)), s.API())
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code >= http.StatusInternalServerError || strings.Contains(log.String(), "failed inside") {
				t.Errorf("%s %q: got %d %s, and the log\n%s", operation, body, w.Code, w.Body, &log)
			}
			var answer struct {
				Messages []json.RawMessage
				Type     string `json:"__type"`
			}
			var given struct{ DelaySeconds, VisibilityTimeout, WaitTimeSeconds int }
			_ = json.Unmarshal([]byte(body), &given) // ignore what does not parse
			if w.Code < 400 && max(given.DelaySeconds, given.VisibilityTimeout, given.WaitTimeSeconds) > 1<<32 &&
				(operation == "SendMessage" || operation == "ReceiveMessage") {
				t.Errorf("%s %q: taken, and is out of all range", operation, body)
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Messages) > 10 ||
				(answer.Type == "") != (w.Code < 400) {
				t.Errorf("%s %q: got %d %s, %v", operation, body, w.Code, w.Body, err)
			}
			for line := range strings.Lines(log.String()) {
				if !strings.HasPrefix(line, "time=") {
					t.Errorf("%s %q: the log has the line %q", operation, body, line)
				}
			}
		})
	})
}

// FuzzQueryAPI checks that a call in the query protocol gets an answer in XML or JSON, which blames
// the caller for an invalid call.
func FuzzQueryAPI(f *testing.F) {
	const queue = "&QueueUrl=stock_queue"
	for _, form := range []string{
		"Action=SendMessage&MessageBody=a&DelaySeconds=0&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=" +
			"Binary&MessageAttribute.1.Value.BinaryValue=AAE%3D&MessageGroupId=b" + queue,
		"Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=1&SendMessageBatchRequestEntry.1.MessageBody=a" +
			queue,
		"Action=ReceiveMessage&AttributeName.1=All&MessageAttributeName.1=All&WaitTimeSeconds=20" + queue,
		"Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=a&Tag.1.Value=b",
		"Action=GetQueueAttributes&AttributeName.1=All" + queue, "Action=ListQueues&MaxResults=1", "Action=Sing",
		"Action=UntagQueue&TagKey.1=a" + queue, "Action=ListMessageMoveTasks&SourceArn=x", "Attribute.1=%zz",
	} {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, form string) {
		synctest.Test(t, func(t *testing.T) {
			s := newService()
			defer s.Close()
			send(t, newQueue(t, s, "stock_queue"), "a message")
			handler := awsapi.NewHandler(slog.New(slog.DiscardHandler), s.QueryAPI())
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Version=2012-11-05&"+form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			var answer any
			readable := json.Unmarshal(w.Body.Bytes(), &answer) == nil ||
				xml.Unmarshal(w.Body.Bytes(), new(struct{ XMLName xml.Name })) == nil
			if w.Code >= http.StatusInternalServerError || !readable {
				t.Errorf("%q: got %d %s", form, w.Code, w.Body)
			}
		})
	})
}

// FuzzQueueAttributes checks that an accepted attribute reads back unchanged, and that a value out
// of range is refused.
func FuzzQueueAttributes(f *testing.F) {
	config := NewQueueConfig("stock_queue")
	for name, value := range config.attributes() {
		f.Add(name, value)
	}
	for _, seed := range [][2]string{
		{"VisibilityTimeout", "-1"}, {"VisibilityTimeout", "2147483648"}, {"DelaySeconds", "+5"},
		{"MaximumMessageSize", "1e4"}, {"SqsManagedSseEnabled", "T"}, {"KmsMasterKeyId", "alias/aws/sqs"},
		{"RedrivePolicy", `{"deadLetterTargetArn":"x","maxReceiveCount":"5"}`},
		{"RedrivePolicy", `{"maxReceiveCount":5.5}`}, {"RedrivePolicy", "null"},
		{"RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["a"]}`},
		{"RedriveAllowPolicy", `{"redrivePermission":"denyAll","sourceQueueArns":[]}`}, {"Policy", `{"Statement":[]}`},
		{"Policy", `{`}, {"Sing", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		got := NewQueueConfig("stock_queue")
		if err := got.Set(name, value); err != nil {
			return
		}
		if err := got.validate(); err != nil {
			return
		}
		if got.VisibilityTimeout < 0 || got.VisibilityTimeout > maxVisibilityTimeout || got.Delay < 0 ||
			got.Delay > maxDelay || got.ReceiveMessageWaitTime < 0 || got.ReceiveMessageWaitTime > maxWait {
			t.Errorf("%s = %q: taken is %+v", name, value, got)
		}
		again := NewQueueConfig("stock_queue")
		if got.KMSMasterKeyID != "" {
			again.SQSManagedSSE = false
		}
		if err := again.set(got.attributes()); err != nil || !reflect.DeepEqual(again.attributes(), got.attributes()) {
			t.Errorf("%s = %q: it reads as %v, which sets %v, %v",
				name, value, got.attributes(), again.attributes(), err)
		}
	})
}
