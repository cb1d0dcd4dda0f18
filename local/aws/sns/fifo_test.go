package sns

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/sqs"
)

// newFIFOFixture returns a client, the ARN of a FIFO topic that it has created with the attributes,
// and a FIFO queue and a standard queue with subscriptions of the topic.
func newFIFOFixture(t *testing.T, attributes map[string]string) (client *awssns.Client, topic string,
	inOrder, standard *sqs.Queue) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	queues := sqs.New(sqs.Config{BaseURL: "http://x", Region: "eu-west-1", AccountID: "000000000000"}, log)
	service := New(Config{Region: "eu-west-1", AccountID: "000000000000", Queues: queues}, log)
	server := httptest.NewServer(awsapi.NewHandler(log, service.API()))
	t.Cleanup(server.Close)
	client = awssns.New(awssns.Options{
		BaseEndpoint: &server.URL, Region: "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIDLOCAL", "local", ""),
	})
	given := map[string]string{"FifoTopic": "true"}
	for name, value := range attributes {
		given[name] = value
	}
	created, err := client.CreateTopic(t.Context(), &awssns.CreateTopicInput{
		Name: aws.String("sales.fifo"), Attributes: given,
	})
	if err != nil {
		t.Fatal(err)
	}
	topic = *created.TopicArn
	for _, q := range []struct {
		to   **sqs.Queue
		name string
	}{{&inOrder, "sales.fifo"}, {&standard, "sales"}} {
		config := sqs.NewQueueConfig(q.name)
		config.FIFO = strings.HasSuffix(q.name, fifoSuffix)
		if *q.to, err = queues.CreateQueue(config); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Subscribe(t.Context(), &awssns.SubscribeInput{
			TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String((*q.to).ARN()),
		}); err != nil {
			t.Fatal(err)
		}
	}
	return client, topic, inOrder, standard
}

// envelopes returns the message groups, the deduplication ids and the envelopes of a queue's
// messages, in their order.
func envelopes(t *testing.T, q *sqs.Queue) (groups, ids []string, all []envelope) {
	t.Helper()
	messages, err := q.Receive(t.Context(), sqs.ReceiveOptions{MaxMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		var e envelope
		if err := json.Unmarshal([]byte(m.Body), &e); err != nil {
			t.Fatal(err)
		}
		groups, ids, all = append(groups, m.GroupID), append(ids, m.DeduplicationID), append(all, e)
	}
	return groups, ids, all
}

func texts(all []envelope) (texts []string) {
	for _, e := range all {
		texts = append(texts, e.Message)
	}
	return texts
}

func TestAFIFOTopicDeliversEachMessageOnceInOrder(t *testing.T) {
	client, topic, inOrder, standard := newFIFOFixture(t, nil)
	var numbers []string
	for _, m := range [][3]string{
		{"a", "1", "first"}, {"a", "2", "second"},
		{"a", "1", "a duplicate"}, {"b", "1", "a duplicate, too"},
		{"a", "3", "third"},
	} {
		out, err := client.Publish(t.Context(), &awssns.PublishInput{
			TopicArn: &topic, MessageGroupId: &m[0], MessageDeduplicationId: &m[1], Message: &m[2],
		})
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, *out.SequenceNumber)
	}
	want := map[string]string{"first": numbers[0], "second": numbers[1], "third": numbers[4]}
	for _, q := range []*sqs.Queue{inOrder, standard} {
		groups, ids, got := envelopes(t, q)
		if q == inOrder && (!slices.Equal(ids, []string{"1", "2", "3"}) ||
			!slices.Equal(groups, []string{"a", "a", "a"}) ||
			!slices.Equal(texts(got), []string{"first", "second", "third"})) {
			t.Errorf("%s got %q with the deduplication ids %q of the groups %q", q.ARN(), texts(got), ids, groups)
		}
		if q == standard && strings.Join(slices.Concat(groups, ids), "") != "" {
			t.Errorf("%s got the groups %q and the deduplication ids %q, and AWS passes none on", q.ARN(), groups, ids)
		}
		if len(got) != len(want) {
			t.Errorf("%s got %q, want each of %v once", q.ARN(), texts(got), want)
		}
		for _, e := range got {
			if e.SequenceNumber != want[e.Message] || e.Signature != nil {
				t.Errorf("%s: got the envelope %+v, want a message of %v with its sequence number, and no signature",
					q.ARN(), e, want)
			}
		}
	}
	if numbers[2] != numbers[0] || numbers[3] != numbers[0] || numbers[0] >= numbers[1] || numbers[1] >= numbers[4] {
		t.Errorf("got the sequence numbers %q: those of duplicates are that of the original, and the others rise",
			numbers)
	}
}

func TestAFIFOTopicFindsDuplicatesByTheirContentAndGroup(t *testing.T) {
	client, topic, inOrder, _ := newFIFOFixture(t, map[string]string{
		"ContentBasedDeduplication": "true", "FifoThroughputScope": "MessageGroup",
	})
	for _, m := range [][2]string{{"a", "same"}, {"a", "same"}, {"b", "same"}, {"b", "other"}} {
		if _, err := client.Publish(t.Context(), &awssns.PublishInput{
			TopicArn: &topic, MessageGroupId: &m[0], Message: &m[1],
		}); err != nil {
			t.Fatal(err)
		}
	}
	// The queue's own deduplication has the scope of the queue.
	if _, ids, got := envelopes(t, inOrder); !slices.Equal(texts(got), []string{"same", "other"}) ||
		ids[0] != sqs.ContentID("same") {
		t.Errorf("got %q with the ids %q", texts(got), ids)
	}
	got, err := client.GetTopicAttributes(t.Context(), &awssns.GetTopicAttributesInput{TopicArn: &topic})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"FifoTopic": "true", "ContentBasedDeduplication": "true", "FifoThroughputScope": "MessageGroup",
	} {
		if got.Attributes[name] != want {
			t.Errorf("the attribute %s is %q, want %q", name, got.Attributes[name], want)
		}
	}
}

func TestWhatTheTypeOfATopicDoesNotAllowIsRefusedAsOnAWS(t *testing.T) {
	client, topic, inOrder, fair := newFIFOFixture(t, nil)
	created, err := client.CreateTopic(t.Context(), &awssns.CreateTopicInput{Name: aws.String("standard")})
	if err != nil {
		t.Fatal(err)
	}
	standard := created.TopicArn
	publish := func(topic *string, group, id *string) error {
		_, err := client.Publish(t.Context(), &awssns.PublishInput{
			TopicArn: topic, Message: aws.String("sold"), MessageGroupId: group, MessageDeduplicationId: id,
		})
		return err
	}
	subscribe := func(topic *string, protocol, endpoint string) error {
		_, err := client.Subscribe(t.Context(), &awssns.SubscribeInput{
			TopicArn: topic, Protocol: &protocol, Endpoint: &endpoint,
		})
		return err
	}
	const arn = "arn:aws:sqs:eu-west-1:000000000000:"
	withDeadLetters := func(topic *string, queue, letters string) error {
		_, err := client.Subscribe(t.Context(), &awssns.SubscribeInput{
			TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: aws.String(arn + queue),
			Attributes: map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + arn + letters + `"}`},
		})
		return err
	}
	edited, err := client.Subscribe(t.Context(), &awssns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String(inOrder.ARN()),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, editRefused := client.SetSubscriptionAttributes(t.Context(), &awssns.SetSubscriptionAttributesInput{
		SubscriptionArn: edited.SubscriptionArn, AttributeName: aws.String("RedrivePolicy"),
		AttributeValue: aws.String(`{"deadLetterTargetArn":"` + arn + `letters"}`),
	})
	create := func(name string, attributes map[string]string) error {
		_, err := client.CreateTopic(t.Context(), &awssns.CreateTopicInput{Name: &name, Attributes: attributes})
		return err
	}
	group := aws.String("group")
	for want, err := range map[string]error{
		"The MessageGroupId parameter is required for FIFO topics":   publish(&topic, nil, aws.String("1")),
		"The topic should either have ContentBasedDeduplication ena": publish(&topic, group, nil),
		"MessageDeduplicationId Reason: The request includes Messag": publish(standard, group, aws.String("1")),
		"Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics": subscribe(
			standard, "sqs", inOrder.ARN()),
		"Invalid protocol type: sms": subscribe(&topic, "sms", "+15550100"),
		"Attributes Reason: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO " +
			"Topic": withDeadLetters(&topic, "other.fifo", "letters"),
		"RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic": editRefused,
		"Attributes Reason: RedrivePolicy: must use a standard queue as DLQ": withDeadLetters(standard, "other",
			"letters.fifo"),
		"SQS endpoint ARN":                  subscribe(&topic, "sqs", arn+strings.Repeat("q", 76)+".fifo"),
		"MessageGroupId Reason: Mes":        publish(&topic, aws.String("a group"), aws.String("1")),
		"MessageGroupId Reason: Mess":       publish(standard, aws.String("도넛"), nil),
		"MessageDeduplicationId Reason: Me": publish(&topic, group, aws.String(strings.Repeat("1", 129))),
		"Topic Name": create(strings.Repeat("a", 252)+".fifo", map[string]string{
			"FifoTopic": "true",
		}),
		"Content-based deduplication and F": create("other", map[string]string{"ContentBasedDeduplication": "true"}),
	} {
		if err == nil || !strings.Contains(err.Error(), "Invalid parameter: "+want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := subscribe(standard, "sqs", fair.ARN()); err != nil {
		t.Error(err)
	}
	if err := publish(standard, group, nil); err != nil {
		t.Error(err)
	}
	if groups, _, _ := envelopes(t, fair); !slices.Equal(groups, []string{*group}) {
		t.Errorf("the queue of a standard topic got the groups %q, want %q, for a fair queue", groups, *group)
	}
	// A standard queue may have either type of dead-letter queue if its topic is a FIFO topic.
	if err := withDeadLetters(&topic, "other", "letters"); err != nil {
		t.Error(err)
	}
	if err := create(strings.Repeat("a", 251)+".fifo", map[string]string{"FifoTopic": "true"}); err != nil {
		t.Error(err)
	}
	// One message without a group refuses the complete batch.
	if out, err := client.PublishBatch(t.Context(), &awssns.PublishBatchInput{
		TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			{
				Id: aws.String("a"), Message: aws.String("a"),
				MessageGroupId: group, MessageDeduplicationId: aws.String("a"),
			},
			{Id: aws.String("b"), Message: aws.String("b")},
		},
	}); err == nil {
		t.Errorf("got %+v, want an error", out)
	}
	if _, _, got := envelopes(t, inOrder); len(got) > 0 {
		t.Errorf("the queue got %q of refused messages", texts(got))
	}
}

func TestADeclaredSubscriptionThatAWSRefusesIsNamedWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		topic, protocol, endpoint, want string
	}{
		{"sales", "sqs", "sales.fifo", "FIFO SQS Queues can not be subscribed to standard SNS topics (main.go:7)"},
		{"sales.fifo", "email", "owner@example.com", "Invalid protocol type: email (main.go:7)"},
		{"sales.fifo", "sqs", "sales.fifo", ""},
		{"sales.fifo", "sqs", "sales", ""},
	} {
		const account = ":eu-west-1:000000000000:"
		log := slog.New(slog.DiscardHandler)
		queues := sqs.New(sqs.Config{BaseURL: "http://x", Region: "eu-west-1", AccountID: "000000000000"}, log)
		for _, name := range []string{"sales", "sales.fifo"} {
			config := sqs.NewQueueConfig(name)
			config.FIFO = name == "sales.fifo"
			if _, err := queues.CreateQueue(config); err != nil {
				t.Fatal(err)
			}
		}
		endpoint := c.endpoint
		if c.protocol == "sqs" {
			endpoint = "arn:aws:sqs" + account + c.endpoint
		}
		g := &graph.Graph{Resources: []*graph.Resource{
			{Type: graph.Topic, Outputs: map[string]any{
				"name": c.topic, "arn": "arn:aws:sns" + account + c.topic, "fifoTopic": c.topic == "sales.fifo",
				"contentBasedDeduplication": c.topic == "sales.fifo",
			}},
			{Type: graph.TopicSubscription, Name: "sold", Source: "main.go:7", Outputs: map[string]any{
				"topic": "arn:aws:sns" + account + c.topic, "protocol": c.protocol, "endpoint": endpoint,
			}},
		}}
		service := New(Config{Region: "eu-west-1", AccountID: "000000000000", Queues: queues}, log)
		err := service.createDeclared(g)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasSuffix(err.Error(), c.want)) {
			t.Errorf("%s to %s: got %v, want %q", c.topic, c.endpoint, err, c.want)
		}
	}
}
