package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"restock/internal/message"
	"restock/local/aws/awsapi"
	localsqs "restock/local/aws/sqs"
)

func TestRedriveSendsDeadLettersBack(t *testing.T) {
	service := localsqs.New(
		localsqs.Config{BaseURL: "http://127.0.0.1", Region: testRegion, AccountID: "000000000000"},
		slog.New(slog.DiscardHandler))
	t.Cleanup(service.Close)
	server := httptest.NewServer(awsapi.NewHandler(slog.New(slog.DiscardHandler), service.API()))
	t.Cleanup(server.Close)
	client := sqs.New(sqs.Options{Region: testRegion, BaseEndpoint: &server.URL,
		RetryMaxAttempts: 1, // a repeated receive would hide that the first one took the messages
		Credentials:      credentials.NewStaticCredentialsProvider("local", "local", "")})
	create := func(name string, attributes map[string]string) *string {
		t.Helper()
		out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		return out.QueueUrl
	}
	create("stock_queue_dlq", nil)
	queue := create("stock_queue", map[string]string{
		"VisibilityTimeout": "0", // a received message is visible again at once
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:` + testRegion +
			`:000000000000:stock_queue_dlq","maxReceiveCount":1}`,
	})
	receive := func() int {
		t.Helper()
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: queue, MaxNumberOfMessages: 10,
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Messages)
	}
	// Twelve messages of two orders, one of which has expired, and one message that belongs to no
	// order.
	bodies := []string{"도너츠"}
	for i := range 12 {
		order, until := "0199a2c4-5f00-7000-8000-000000000001", "9999-01-01T00:00:00Z"
		if i == 0 {
			order, until = "0199a2c4-5f00-7000-8000-000000000002", "2020-01-01T00:00:00Z"
		}
		bodies = append(bodies, stockEmpty(t, order, until))
	}
	for _, body := range bodies {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: queue, MessageBody: &body,
		}); err != nil {
			t.Fatal(err)
		}
	}
	receive()
	receive()
	if left := receive(); left != 0 {
		t.Fatalf("%d messages are still in the queue, want all in the dead-letter queue", left)
	}

	where := ready(t, server.URL, server.URL)
	want := "13 messages went from stock_queue_dlq back to where they came from.\n" +
		"13 messages read before: for 2 production orders, 1 expired. The function stock drops expired messages: the " +
		"sweep requests them again.\n"
	if out, said, code := typed(t, "redrive", "--ready", where); code != 0 || out != want {
		t.Errorf("ended with %d, %q %q; want %q", code, out, said, want)
	}
	if back := receive() + receive(); back != 13 {
		t.Errorf("%d messages are back, want 13", back)
	}
	receive() // all are dead letters again
	receive()
	if out, said, code := typed(t, "redrive", "--ready", where, "--json"); code != 0 ||
		strings.Join(strings.Fields(out), "") !=
			`{"queue":"stock_queue_dlq","moved":13,"looked_at":13,"orders":2,"expired":1}` {
		t.Errorf("a program is told %d, %q %q", code, out, said)
	}
	if out, said, code := typed(t, "redrive", "--ready", where); code != 0 ||
		out != "0 messages went from stock_queue_dlq back to where they came from.\n" {
		t.Errorf("without dead letters: ended with %d, %q %q", code, out, said)
	}
	if _, said, code := typed(t, "redrive", "--ready", where, "--queue", "other_dlq"); code != 1 ||
		said != "shop: redriving other_dlq: there is no such queue in region ap-northeast-2\n" {
		t.Errorf("another queue: ended with %d, %q", code, said)
	}
}

// stockEmpty returns the body of a message in stock_queue.
func stockEmpty(t *testing.T, order, validUntil string) string {
	t.Helper()
	attributes := map[string]map[string]string{}
	for name, value := range (message.StockEmpty{SKU: "CP-502101", Quantity: 5, FactoryID: "FF-500293",
		Requester: message.Requester}).Attributes() {
		attributes[name] = map[string]string{"Type": "String", "Value": value}
	}
	body, err := json.Marshal(map[string]any{
		"Type": "Notification", "MessageAttributes": attributes,
		"Message": fmt.Sprintf(`{"production_order_id":%q,"valid_until":%q}`, order, validUntil),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestRedriveIsWatchedUntilItEnds(t *testing.T) {
	for _, c := range []struct {
		tasks     []string // the states that SQS reports, one after the other
		code      int
		out, said string
	}{
		{[]string{
			`{"Status":"RUNNING","ApproximateNumberOfMessagesMoved":0,"ApproximateNumberOfMessagesToMove":1500}`,
			`{"Status":"RUNNING","ApproximateNumberOfMessagesMoved":700,"ApproximateNumberOfMessagesToMove":1500}`,
			`{"Status":"COMPLETED","ApproximateNumberOfMessagesMoved":1500,"ApproximateNumberOfMessagesToMove":1500}`,
		}, 0, "1,500 messages went from stock_queue_dlq back to where they came from.\n", "0 of 1,500\n700 of 1,500\n"},
		{[]string{`{"Status":"FAILED","ApproximateNumberOfMessagesMoved":1,` +
			`"FailureReason":"CouldNotDetermineMessageSource"}`}, 1, "",
			"shop: redriving stock_queue_dlq: it is FAILED after 1 message: CouldNotDetermineMessageSource\n"},
	} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			switch r.Header.Get("X-Amz-Target") {
			case "AmazonSQS.GetQueueUrl":
				fmt.Fprint(w, `{"QueueUrl":"http://127.0.0.1/000000000000/stock_queue_dlq"}`)
			case "AmazonSQS.GetQueueAttributes":
				fmt.Fprint(w, `{"Attributes":{"QueueArn":"arn:aws:sqs:ap-northeast-2:000000000000:stock_queue_dlq"}}`)
			case "AmazonSQS.StartMessageMoveTask":
				fmt.Fprint(w, `{"TaskHandle":"x"}`)
			case "AmazonSQS.ListMessageMoveTasks":
				fmt.Fprint(w, `{"Results":[`+c.tasks[min(asked, len(c.tasks)-1)]+`]}`)
				asked++
			}
		}))
		out, said, code := typed(t, "redrive", "--ready", ready(t, server.URL, server.URL))
		server.Close()
		if code != c.code || out != c.out || said != c.said {
			t.Errorf("%v: ended with %d, %q and %q; want %d, %q and %q",
				c.tasks, code, out, said, c.code, c.out, c.said)
		}
	}
}

// SQS may deliver a message more than once:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
func TestAMessageThatIsReceivedTwiceCountsOnce(t *testing.T) {
	message, err := json.Marshal(map[string]string{"MessageId": "m",
		"Body": stockEmpty(t, "0199a2c4-5f00-7000-8000-000000000001", "2020-01-01T00:00:00Z")})
	if err != nil {
		t.Fatal(err)
	}
	received := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		switch r.Header.Get("X-Amz-Target") {
		case "AmazonSQS.GetQueueUrl":
			fmt.Fprint(w, `{"QueueUrl":"http://127.0.0.1/000000000000/stock_queue_dlq"}`)
		case "AmazonSQS.GetQueueAttributes":
			fmt.Fprint(w, `{"Attributes":{"QueueArn":"arn","ApproximateNumberOfMessages":"2"}}`)
		case "AmazonSQS.ReceiveMessage":
			if received++; received > 2 {
				message = nil
			}
			fmt.Fprintf(w, `{"Messages":[%s]}`, message)
		case "AmazonSQS.StartMessageMoveTask":
			fmt.Fprint(w, `{"TaskHandle":"x"}`)
		case "AmazonSQS.ListMessageMoveTasks":
			fmt.Fprint(w, `{"Results":[{"Status":"COMPLETED","ApproximateNumberOfMessagesMoved":1}]}`)
		}
	}))
	t.Cleanup(server.Close)
	out, said, code := typed(t, "redrive", "--ready", ready(t, server.URL, server.URL))
	if want := "1 message read before: for 1 production order, 1 expired."; code != 0 || !strings.Contains(out, want) {
		t.Errorf("ended with %d, %q %q; want it to say %q", code, out, said, want)
	}
}
