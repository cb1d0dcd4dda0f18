package sqs

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"restock/local/aws/awsapi"
)

// newClient returns an SDK client of an endpoint that serves the queues.
func newClient(t *testing.T, s *Service) *awssqs.Client {
	t.Helper()
	server := httptest.NewServer(awsapi.NewHandler(slog.New(slog.DiscardHandler), s.API()))
	t.Cleanup(server.Close)
	return awssqs.New(awssqs.Options{
		BaseEndpoint: &server.URL,
		Region:       "ap-northeast-2",
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDLOCAL", "local", ""),
	})
}

func TestSDKSendsReceivesAndDeletes(t *testing.T) {
	s := newService()
	q := newQueue(t, s, "stock_queue")
	client, ctx := newClient(t, s), t.Context()

	url, err := client.GetQueueUrl(ctx, &awssqs.GetQueueUrlInput{QueueName: aws.String("stock_queue")})
	if err != nil {
		t.Fatal(err)
	}
	if *url.QueueUrl != q.URL() {
		t.Errorf("queue URL: got %s, want %s", *url.QueueUrl, q.URL())
	}
	attributes := map[string]types.MessageAttributeValue{
		"sku":   {DataType: aws.String("String"), StringValue: aws.String("CP-502101")},
		"count": {DataType: aws.String("Number"), StringValue: aws.String("100")},
		"raw":   {DataType: aws.String("Binary.gif"), BinaryValue: []byte{0, 1, 255}},
	}
	sent, err := client.SendMessage(ctx, &awssqs.SendMessageInput{
		QueueUrl: url.QueueUrl, MessageBody: aws.String("도너츠 <&>"), MessageAttributes: attributes,
	})
	if err != nil {
		t.Fatal(err)
	}
	// Expected digest of AWS's algorithm for these attributes, calculated separately with Python's
	// hashlib.
	if got, want := aws.ToString(sent.MD5OfMessageAttributes), "463f04d55adfb8283cc40177bc80b6d7"; got != want {
		t.Errorf("MD5 of the attributes: got %s, want %s", got, want)
	}

	received, err := client.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{
		QueueUrl:                    aws.String(strings.Replace(*url.QueueUrl, "127.0.0.1", "localhost", 1)),
		MessageAttributeNames:       []string{"sku", "ra.*"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil || len(received.Messages) != 1 {
		t.Fatalf("received %v, %v", received, err)
	}
	m := received.Messages[0]
	if *m.Body != "도너츠 <&>" || *m.MessageId != *sent.MessageId {
		t.Errorf("received %q with id %s, want %q with %s", *m.Body, *m.MessageId, "도너츠 <&>", *sent.MessageId)
	}
	if len(m.MessageAttributes) != 2 || *m.MessageAttributes["sku"].StringValue != "CP-502101" ||
		string(m.MessageAttributes["raw"].BinaryValue) != "\x00\x01\xff" {
		t.Errorf("message attributes: got %+v, want sku and raw", m.MessageAttributes)
	}
	if m.Attributes["SenderId"] != "AKIDLOCAL" || m.Attributes["ApproximateReceiveCount"] != "1" ||
		len(m.Attributes["SentTimestamp"]) != 13 || len(m.Attributes["ApproximateFirstReceiveTimestamp"]) != 13 {
		t.Errorf("system attributes: got %v", m.Attributes)
	}
	if _, err := client.ChangeMessageVisibility(ctx, &awssqs.ChangeMessageVisibilityInput{
		QueueUrl: url.QueueUrl, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 60,
	}); err != nil {
		t.Error(err)
	}
	if _, err := client.DeleteMessage(ctx, &awssqs.DeleteMessageInput{
		QueueUrl: url.QueueUrl, ReceiptHandle: m.ReceiptHandle,
	}); err != nil {
		t.Error(err)
	}
	wantCounts(t, q, Counts{})
}

func TestSDKBatches(t *testing.T) {
	s := newService()
	q := newQueue(t, s, "q", func(c *QueueConfig) { c.MaximumMessageSize = 1024 })
	client, ctx := newClient(t, s), t.Context()

	sent, err := client.SendMessageBatch(ctx,
		&awssqs.SendMessageBatchInput{QueueUrl: aws.String(q.URL()), Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("good"), MessageBody: aws.String("x")},
			{Id: aws.String("long"), MessageBody: aws.String(strings.Repeat("x", 1025))},
			{Id: aws.String("delayed"), MessageBody: aws.String("x"), DelaySeconds: 60},
		}})
	if err != nil {
		t.Fatal(err)
	}
	if len(sent.Successful) != 2 || len(sent.Failed) != 1 || *sent.Failed[0].Id != "long" ||
		!sent.Failed[0].SenderFault {
		t.Errorf("sent %+v, failed %+v; want good and delayed, and long", sent.Successful, sent.Failed)
	}
	wantCounts(t, q, Counts{Visible: 1, Delayed: 1})

	handle := receiveOne(t, q, 0).ReceiptHandle
	changed, err := client.ChangeMessageVisibilityBatch(ctx,
		&awssqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(q.URL()),
			Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
				{Id: aws.String("a"), ReceiptHandle: &handle, VisibilityTimeout: 0},
			}})
	if err != nil || len(changed.Successful) != 1 {
		t.Errorf("changing visibility: %+v, %v", changed, err)
	}
	deleted, err := client.DeleteMessageBatch(ctx,
		&awssqs.DeleteMessageBatchInput{QueueUrl: aws.String(q.URL()), Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("a"), ReceiptHandle: &handle}, {Id: aws.String("b"), ReceiptHandle: aws.String("nonsense")},
		}})
	if err != nil || len(deleted.Successful) != 1 || len(deleted.Failed) != 1 ||
		*deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("deleting: %+v, %v; want a deleted, b refused", deleted, err)
	}
	wantCounts(t, q, Counts{Delayed: 1})
}

func TestTagsOfAQueue(t *testing.T) {
	client, ctx := newClient(t, newService()), t.Context()
	queue, err := client.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: aws.String("q"),
		Tags: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.ListQueueTags(ctx, &awssqs.ListQueueTagsInput{QueueUrl: queue.QueueUrl})
	if err != nil || len(got.Tags) != 1 || got.Tags["a"] != "b" {
		t.Errorf("tags: got %v, %v; want a = b", got, err)
	}
	long := strings.Repeat("é", 257)
	for _, tags := range []map[string]string{{"": "b"}, {long[:2*129]: ""}, {"a": long}} {
		_, err := client.TagQueue(ctx, &awssqs.TagQueueInput{QueueUrl: queue.QueueUrl, Tags: tags})
		if err == nil || !strings.Contains(err.Error(), "InvalidParameterValue: ") {
			t.Errorf("tags %v: got %v, want InvalidParameterValue", tags, err)
		}
	}
}

// https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
func TestTraceAndMessageGroupStayWithAMessage(t *testing.T) {
	s := newService()
	dlq := newQueue(t, s, "dlq")
	q := newQueue(t, s, "q", visibility(0), redriveTo(dlq, 1))
	client, ctx := newClient(t, s), t.Context()
	const header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
	trace := func(value string) map[string]types.MessageSystemAttributeValue {
		return map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: &value},
		}
	}
	for _, value := range []string{"", "nonsense"} {
		_, err := client.SendMessage(ctx, &awssqs.SendMessageInput{QueueUrl: aws.String(q.URL()),
			MessageBody: aws.String("x"), MessageSystemAttributes: trace(value)})
		if err == nil || !strings.Contains(err.Error(), "InvalidParameterValue: ") {
			t.Errorf("the trace header %q: got %v, want InvalidParameterValue", value, err)
		}
	}
	sent, err := client.SendMessageBatch(ctx, &awssqs.SendMessageBatchInput{QueueUrl: aws.String(q.URL()),
		Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("a"), MessageBody: aws.String("x"), MessageGroupId: aws.String("tenant-1"),
				MessageSystemAttributes: trace(header)},
			{Id: aws.String("b"), MessageBody: aws.String("x"), MessageGroupId: aws.String("tenant 1")},
		}})
	if err != nil {
		t.Fatal(err)
	}
	if len(sent.Failed) != 1 || *sent.Failed[0].Id != "b" || *sent.Failed[0].Code != "InvalidParameterValue" {
		t.Errorf("failed: got %+v, want b with InvalidParameterValue", sent.Failed)
	}
	// The digest of a String attribute named AWSTraceHeader, calculated separately with Python's
	// hashlib.
	const digest = "5f48eef650c1d0207456969c85af2fdd"
	if got := aws.ToString(sent.Successful[0].MD5OfMessageSystemAttributes); got != digest {
		t.Errorf("MD5 of the system attributes: got %s, want %s", got, digest)
	}
	receiveOne(t, q, 0)
	receive(t, q, 0) // moves the message to the dead-letter queue
	if _, err := dlq.Redrive(); err != nil {
		t.Fatal(err)
	}
	s.movers.Wait()
	got := receiveOne(t, q, 0).SystemAttributes()
	if got["AWSTraceHeader"] != header || got["MessageGroupId"] != "tenant-1" {
		t.Errorf("after a redrive: got %v, want trace %s and group tenant-1", got, header)
	}
}

func TestSDKSeesAWSErrors(t *testing.T) {
	s := newService()
	q := newQueue(t, s, "q")
	client, ctx := newClient(t, s), t.Context()
	url := aws.String(q.URL())
	sendBatch := func(ids ...string) error {
		in := &awssqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{}}
		for _, id := range ids {
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("x")})
		}
		_, err := client.SendMessageBatch(ctx, in)
		return err
	}
	for _, tt := range []struct {
		name string
		call func() error
		want string
	}{
		{"no such queue", func() error {
			_, err := client.SendMessage(ctx, &awssqs.SendMessageInput{
				QueueUrl: aws.String("http://x/000000000000/nowhere"), MessageBody: aws.String("x"),
			})
			if typed, ok := errors.AsType[*types.QueueDoesNotExist](err); !ok {
				t.Errorf("got %T, want %T", err, typed)
			}
			return err
		}, "AWS.SimpleQueueService.NonExistentQueue"},
		{"another account's queue", func() error {
			_, err := client.PurgeQueue(ctx, &awssqs.PurgeQueueInput{QueueUrl: aws.String("http://x/111111111111/q")})
			return err
		}, "AWS.SimpleQueueService.NonExistentQueue"},
		{"11 messages", func() error {
			_, err := client.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 11})
			return err
		}, "InvalidParameterValue"},
		{"a wait of 21 s", func() error {
			_, err := client.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 21})
			return err
		}, "InvalidParameterValue"},
		{"an unknown attribute", func() error {
			_, err := client.GetQueueAttributes(ctx, &awssqs.GetQueueAttributesInput{
				QueueUrl: url, AttributeNames: []types.QueueAttributeName{"Colour"},
			})
			return err
		}, "InvalidAttributeName"},
		{"an empty batch", func() error { return sendBatch() }, "AWS.SimpleQueueService.EmptyBatchRequest"},
		{"11 entries", func() error { return sendBatch(strings.Split("a b c d e f g h i j k", " ")...) },
			"AWS.SimpleQueueService.TooManyEntriesInBatchRequest"},
		{"two entries of one id", func() error { return sendBatch("a", "a") },
			"AWS.SimpleQueueService.BatchEntryIdsNotDistinct"},
		{"an entry id with a space", func() error { return sendBatch("a b") },
			"AWS.SimpleQueueService.InvalidBatchEntryId"},
		{"a parameter of FIFO queues", func() error {
			_, err := client.SendMessage(ctx, &awssqs.SendMessageInput{
				QueueUrl: url, MessageBody: aws.String("x"), MessageDeduplicationId: aws.String("1"),
			})
			return err
		}, "InvalidParameterValue"},
		{"a member that is not implemented", func() error {
			_, err := client.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{
				QueueUrl: url, ReceiveRequestAttemptId: aws.String("1"),
			})
			return err
		}, "SerializationException"},
		{"an operation that is not implemented", func() error {
			_, err := client.RemovePermission(ctx, &awssqs.RemovePermissionInput{QueueUrl: url, Label: aws.String("a")})
			return err
		}, "UnknownOperationException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call()
			if refused, ok := errors.AsType[smithy.APIError](err); !ok || refused.ErrorCode() != tt.want {
				t.Errorf("got error %v, want code %s", err, tt.want)
			}
		})
	}
	wantCounts(t, q, Counts{})
}

// "The result of sending each message is reported individually in the response."
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func TestSDKBatchRefusesOnlyTheEntryWithAParameterOfFIFOQueues(t *testing.T) {
	s := newService()
	q := newQueue(t, s, "q")
	out, err := newClient(t, s).SendMessageBatch(t.Context(),
		&awssqs.SendMessageBatchInput{QueueUrl: aws.String(q.URL()), Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("a"), MessageBody: aws.String("x")},
			{Id: aws.String("b"), MessageBody: aws.String("y"), MessageDeduplicationId: aws.String("1")},
			{Id: aws.String("c"), MessageBody: aws.String("z"), MessageGroupId: aws.String("tenant")}, // fair
		}})
	if err != nil || len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "b" ||
		*out.Failed[0].Code != "InvalidParameterValue" {
		t.Errorf("got %+v, %v; want entry b refused with InvalidParameterValue, and the others sent", out, err)
	}
	wantCounts(t, q, Counts{Visible: 2})
}

func TestSDKBatchOverTheSizeLimitIsRefusedWhole(t *testing.T) {
	s := newService()
	q := newQueue(t, s, "q")
	body := aws.String(strings.Repeat("x", 600<<10))
	_, err := newClient(t, s).SendMessageBatch(t.Context(),
		&awssqs.SendMessageBatchInput{QueueUrl: aws.String(q.URL()), Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("a"), MessageBody: body}, {Id: aws.String("b"), MessageBody: body},
		}})
	if tooLong, ok := errors.AsType[*types.BatchRequestTooLong](err); !ok {
		t.Errorf("got error %v, want %T", err, tooLong)
	}
	wantCounts(t, q, Counts{})
}

func TestReceiverThatHangsUpTakesNothing(t *testing.T) {
	s := newService()
	q := newQueue(t, s, "q")
	handler := awsapi.NewHandler(slog.New(slog.DiscardHandler), s.API())
	arrived, gone := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		handler.ServeHTTP(w, r)
		close(gone)
	}))
	defer server.Close()

	ctx, hangUp := context.WithCancel(t.Context())
	go func() {
		<-arrived
		hangUp()
	}()
	r, err := http.NewRequestWithContext(ctx, "POST", server.URL,
		strings.NewReader(`{"QueueUrl":"`+q.URL()+`","WaitTimeSeconds":20}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
	if response, err := http.DefaultClient.Do(r); err == nil {
		response.Body.Close()
		t.Fatalf("answered %s, want the call to end with its context", response.Status)
	}
	<-gone // long before the poll's 20s are over
	send(t, q, "x")
	wantCounts(t, q, Counts{Visible: 1})
}

func TestSDKListsAndDescribesQueues(t *testing.T) {
	s := newService()
	dlq := newQueue(t, s, "stock_dlq")
	q := newQueue(t, s, "stock_queue", redriveTo(dlq, 5))
	newQueue(t, s, "other")
	client, ctx := newClient(t, s), t.Context()

	first, err := client.ListQueues(ctx, &awssqs.ListQueuesInput{
		QueueNamePrefix: aws.String("stock"), MaxResults: aws.Int32(1),
	})
	if err != nil || !slices.Equal(first.QueueUrls, []string{dlq.URL()}) || first.NextToken == nil {
		t.Fatalf("first page: got %+v, %v", first, err)
	}
	second, err := client.ListQueues(ctx, &awssqs.ListQueuesInput{
		QueueNamePrefix: aws.String("stock"), MaxResults: aws.Int32(1), NextToken: first.NextToken,
	})
	if err != nil || !slices.Equal(second.QueueUrls, []string{q.URL()}) || second.NextToken != nil {
		t.Errorf("second page: got %+v, %v", second, err)
	}
	sources, err := client.ListDeadLetterSourceQueues(ctx, &awssqs.ListDeadLetterSourceQueuesInput{
		QueueUrl: aws.String(dlq.URL()),
	})
	if err != nil || !slices.Equal(sources.QueueUrls, []string{q.URL()}) {
		t.Errorf("source queues: got %+v, %v; want %s", sources, err, q.URL())
	}

	send(t, q, "x")
	got, err := client.GetQueueAttributes(ctx, &awssqs.GetQueueAttributesInput{
		QueueUrl: aws.String(q.URL()), AttributeNames: []types.QueueAttributeName{"All"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"ApproximateNumberOfMessages": "1", "ApproximateNumberOfMessagesNotVisible": "0",
		"ApproximateNumberOfMessagesDelayed": "0",
		"QueueArn":                           "arn:aws:sqs:ap-northeast-2:000000000000:stock_queue",
		"VisibilityTimeout":                  "30",
		"MessageRetentionPeriod":             "345600",
		"RedrivePolicy":                      `{"deadLetterTargetArn":"` + dlq.ARN() + `","maxReceiveCount":5}`,
	} {
		if got.Attributes[name] != want {
			t.Errorf("attribute %s: got %q, want %q", name, got.Attributes[name], want)
		}
	}
	if _, err := client.PurgeQueue(ctx, &awssqs.PurgeQueueInput{QueueUrl: aws.String(q.URL())}); err != nil {
		t.Error(err)
	}
	wantCounts(t, q, Counts{})
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func TestPolicyIsTheOneThatWasSetLast(t *testing.T) {
	s := newService()
	q := newQueue(t, s, "q")
	client := newClient(t, s)
	for _, want := range []string{`{"Statement":[]}`, `{"Statement":[],"Version":"2012-10-17"}`, ""} {
		_, err := client.SetQueueAttributes(t.Context(), &awssqs.SetQueueAttributesInput{
			QueueUrl: aws.String(q.URL()), Attributes: map[string]string{"Policy": want},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Policy(q.ARN()); got != want || !ok {
			t.Errorf("Policy(%s) = %q, %v; want %q", q.ARN(), got, ok, want)
		}
	}
	if got, ok := s.Policy(q.ARN() + "2"); ok {
		t.Errorf("Policy of a queue that is not there: got %q, want none", got)
	}
}

func TestSenderIsWhomTheAccessKeyBelongsTo(t *testing.T) {
	s, _ := newServiceWith(func(c *Config) {
		c.SenderID = func(accessKeyID string) string { return "owner of " + accessKeyID }
	})
	q := newQueue(t, s, "q")
	if _, err := newClient(t, s).SendMessage(t.Context(), &awssqs.SendMessageInput{
		QueueUrl: aws.String(q.URL()), MessageBody: aws.String("x"),
	}); err != nil {
		t.Fatal(err)
	}
	if got := receiveOne(t, q, 0).SenderID; got != "owner of AKIDLOCAL" {
		t.Errorf("SenderID: got %q, want the owner of AKIDLOCAL", got)
	}
}
