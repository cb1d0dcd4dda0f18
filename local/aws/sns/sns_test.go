package sns

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"restock/local/aws/awsapi"
	"restock/local/aws/sqs"
)

// noStatements is a policy that allows nothing.
const noStatements = `{"Statement":[]}`

// fixture is a topic with one subscribed queue, and an SDK client.
type fixture struct {
	topic  *Topic
	sub    Subscription
	queue  *sqs.Queue
	client *awssns.Client
}

func newFixture(t *testing.T, raw bool) fixture {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	queues := sqs.New(sqs.Config{BaseURL: "http://x", Region: "ap-northeast-2", AccountID: "000000000000"}, log)
	queue, err := queues.CreateQueue(sqs.NewQueueConfig("stock_queue"))
	if err != nil {
		t.Fatal(err)
	}
	service := New(Config{Region: "ap-northeast-2", AccountID: "000000000000", Queues: queues}, log)
	topic, err := service.CreateTopic(TopicConfig{
		Name: "stock_empty", Policy: noStatements, KMSMasterKeyID: "alias/aws/sns",
	})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := topic.Subscribe(SubscriptionConfig{QueueARN: queue.ARN(), RawMessageDelivery: raw})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(awsapi.NewHandler(log, service.API()))
	t.Cleanup(server.Close)
	return fixture{topic, sub, queue, awssns.New(awssns.Options{
		BaseEndpoint: &server.URL,
		Region:       "ap-northeast-2",
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDLOCAL", "local", ""),
	})}
}

// delivered receives all messages of the queue.
func (f fixture) delivered(t *testing.T) []sqs.Message {
	t.Helper()
	messages, err := f.queue.Receive(t.Context(), sqs.ReceiveOptions{MaxMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

var stockEmpty = awssns.PublishInput{
	TopicArn: aws.String("arn:aws:sns:ap-northeast-2:000000000000:stock_empty"),
	Subject:  aws.String("도너츠 재고 부족"),
	Message:  aws.String(`재고가 <없습니다> & "급합니다"`),
	MessageAttributes: map[string]types.MessageAttributeValue{
		"MessageAttributeProductId":  {DataType: aws.String("String"), StringValue: aws.String("CP-502101")},
		"MessageAttributeProductCnt": {DataType: aws.String("String"), StringValue: aws.String("100")},
		"picture":                    {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
	},
}

func TestPublishDeliversTheEnvelope(t *testing.T) {
	f := newFixture(t, false)
	published, err := f.client.Publish(t.Context(), &stockEmpty)
	if err != nil {
		t.Fatal(err)
	}
	messages := f.delivered(t)
	if len(messages) != 1 {
		t.Fatalf("delivered %d messages, want 1", len(messages))
	}
	if m := messages[0]; len(m.Attributes) != 0 || m.SenderID != "sns.amazonaws.com" ||
		strings.Contains(m.Body, `\u003c`) {
		t.Errorf("delivered attributes %v from %s, body %s; want none, from sns.amazonaws.com, < as it is",
			m.Attributes, m.SenderID, m.Body)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(messages[0].Body), &got); err != nil {
		t.Fatalf("the body is no JSON object: %v", err)
	}
	at, err := time.Parse("2006-01-02T15:04:05.000Z", got["Timestamp"].(string))
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("Timestamp: got %v", got["Timestamp"])
	}
	if url, _ := got["UnsubscribeURL"].(string); !strings.Contains(url,
		"SubscriptionArn=arn:aws:sns:ap-northeast-2:000000000000:stock_empty:") {
		t.Errorf("UnsubscribeURL: got %v", got["UnsubscribeURL"])
	}
	for _, name := range []string{"Timestamp", "UnsubscribeURL", "SigningCertURL"} {
		delete(got, name)
	}
	want := map[string]any{
		"Type":             "Notification",
		"MessageId":        *published.MessageId,
		"TopicArn":         *stockEmpty.TopicArn,
		"Subject":          *stockEmpty.Subject,
		"Message":          *stockEmpty.Message,
		"SignatureVersion": "1",
		"Signature":        "",
		"MessageAttributes": map[string]any{
			"MessageAttributeProductId":  map[string]any{"Type": "String", "Value": "CP-502101"},
			"MessageAttributeProductCnt": map[string]any{"Type": "String", "Value": "100"},
			"picture":                    map[string]any{"Type": "Binary", "Value": "AP8="},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("envelope:\n got %v\nwant %v", got, want)
	}
}

func TestEnvelopeLeavesOutWhatIsNotGiven(t *testing.T) {
	f := newFixture(t, false)
	if _, err := f.topic.Publish(Notification{Message: "x"}); err != nil {
		t.Fatal(err)
	}
	body := f.delivered(t)[0].Body
	for _, name := range []string{`"Subject"`, `"MessageAttributes"`} {
		if strings.Contains(body, name) {
			t.Errorf("the envelope has %s: %s", name, body)
		}
	}
}

func TestRawDeliveryForwardsBodyAndAttributes(t *testing.T) {
	f := newFixture(t, true)
	if _, err := f.client.Publish(t.Context(), &stockEmpty); err != nil {
		t.Fatal(err)
	}
	m := f.delivered(t)[0]
	want := map[string]sqs.MessageAttribute{
		"MessageAttributeProductId":  {DataType: "String", StringValue: "CP-502101"},
		"MessageAttributeProductCnt": {DataType: "String", StringValue: "100"},
		"picture":                    {DataType: "Binary", BinaryValue: []byte{0, 255}},
	}
	if m.Body != *stockEmpty.Message || !reflect.DeepEqual(m.Attributes, want) {
		t.Errorf("delivered %q with %v\nwant %q with %v", m.Body, m.Attributes, *stockEmpty.Message, want)
	}
}

// With raw delivery, SNS discards a message of more than ten attributes, and Publish succeeds:
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html: with raw delivery a message of more than ten
func TestRawDeliveryDiscardsMoreThanTenAttributes(t *testing.T) {
	for _, tt := range []struct {
		raw  bool
		want int
	}{{true, 0}, {false, 1}} {
		f := newFixture(t, tt.raw)
		n := Notification{Message: "x", Attributes: map[string]sqs.MessageAttribute{}}
		for i := range 11 {
			n.Attributes[fmt.Sprint("a", i)] = sqs.MessageAttribute{DataType: "String", StringValue: "v"}
		}
		if _, err := f.topic.Publish(n); err != nil {
			t.Errorf("raw %v: publishing: %v", tt.raw, err)
		}
		if got := len(f.delivered(t)); got != tt.want {
			t.Errorf("raw %v: delivered %d messages, want %d", tt.raw, got, tt.want)
		}
	}
}

func TestPublishRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*awssns.PublishInput)
		want   string // the code; "" for none
	}{
		{"a topic that does not exist", func(in *awssns.PublishInput) {
			in.TopicArn = aws.String("arn:aws:sns:ap-northeast-2:000000000000:nowhere")
		}, "NotFound"},
		{"no ARN", func(in *awssns.PublishInput) { in.TopicArn = aws.String("stock_empty") }, "InvalidParameter"},
		{"an empty message", func(in *awssns.PublishInput) { in.Message = aws.String("") }, "InvalidParameter"},
		{"a message of the limit", func(in *awssns.PublishInput) {
			in.Message, in.MessageAttributes = aws.String(strings.Repeat("x", 256<<10)), nil
		}, ""},
		{"a message over the limit",
			func(in *awssns.PublishInput) { in.Message = aws.String(strings.Repeat("x", 256<<10)) },
			"InvalidParameter"},
		{"a subject of 100 characters",
			func(in *awssns.PublishInput) { in.Subject = aws.String(strings.Repeat("도", 100)) }, ""},
		{"a subject of 101 characters",
			func(in *awssns.PublishInput) { in.Subject = aws.String(strings.Repeat("x", 101)) }, "InvalidParameter"},
		{"a subject of two lines", func(in *awssns.PublishInput) { in.Subject = aws.String("a\nb") },
			"InvalidParameter"},
		{"an empty attribute", func(in *awssns.PublishInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"),
				StringValue: aws.String("")}}
		}, "ParameterValueInvalid"},
		{"a parameter that is not implemented",
			func(in *awssns.PublishInput) { in.MessageDeduplicationId = aws.String("1") }, "InvalidParameter"},
		{"a message structure that SNS does not have",
			func(in *awssns.PublishInput) { in.MessageStructure = aws.String("xml") }, "InvalidParameter"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, false)
			in := stockEmpty
			tt.change(&in)
			_, err := f.client.Publish(t.Context(), &in)
			refused, _ := errors.AsType[smithy.APIError](err)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got error %v, want none", err)
			case tt.want != "" && (refused == nil || refused.ErrorCode() != tt.want):
				t.Errorf("got error %v, want code %s", err, tt.want)
			case tt.want != "" && len(f.delivered(t)) != 0:
				t.Error("a refused message was delivered")
			}
		})
	}
}

func TestPublishBatch(t *testing.T) {
	f := newFixture(t, true)
	entry := func(id, message string) types.PublishBatchRequestEntry {
		return types.PublishBatchRequestEntry{Id: &id, Message: &message,
			MessageAttributes: stockEmpty.MessageAttributes}
	}
	publish := func(entries ...types.PublishBatchRequestEntry) (*awssns.PublishBatchOutput, error) {
		return f.client.PublishBatch(t.Context(), &awssns.PublishBatchInput{
			TopicArn: stockEmpty.TopicArn, PublishBatchRequestEntries: entries,
		})
	}
	out, err := publish(entry("a", "one"), entry("b", ""), entry("c", "three"))
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "b" ||
		*out.Failed[0].Code != "InvalidParameter" {
		t.Errorf("got successful %+v, failed %+v; want a and c, and b", out.Successful, out.Failed)
	}
	messages := f.delivered(t)
	if len(messages) != 2 || messages[1].Body != "three" || len(messages[1].Attributes) != 3 {
		t.Errorf("delivered %+v, want one and three with their attributes", messages)
	}

	long := strings.Repeat("x", 200<<10)
	eleven := make([]types.PublishBatchRequestEntry, 11)
	for i := range eleven {
		eleven[i] = entry(fmt.Sprint(i), "x")
	}
	for want, entries := range map[string][]types.PublishBatchRequestEntry{
		"EmptyBatchRequest":            {},
		"TooManyEntriesInBatchRequest": eleven,
		"BatchEntryIdsNotDistinct":     {entry("a", "x"), entry("a", "x")},
		"InvalidBatchEntryId":          {entry("a b", "x")},
		"BatchRequestTooLong":          {entry("a", long), entry("b", long)},
	} {
		_, err := publish(entries...)
		if refused, ok := errors.AsType[smithy.APIError](err); !ok || refused.ErrorCode() != want {
			t.Errorf("got error %v, want code %s", err, want)
		}
	}
}

func TestLists(t *testing.T) {
	f, ctx := newFixture(t, false), t.Context()
	topics, err := f.client.ListTopics(ctx, &awssns.ListTopicsInput{})
	if err != nil || len(topics.Topics) != 1 || *topics.Topics[0].TopicArn != f.topic.ARN() {
		t.Errorf("topics: got %+v, %v; want %s", topics, err, f.topic.ARN())
	}
	all, err := f.client.ListSubscriptions(ctx, &awssns.ListSubscriptionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	byTopic, err := f.client.ListSubscriptionsByTopic(ctx, &awssns.ListSubscriptionsByTopicInput{
		TopicArn: aws.String(f.topic.ARN()),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range [][]types.Subscription{all.Subscriptions, byTopic.Subscriptions} {
		want := []types.Subscription{{
			SubscriptionArn: aws.String(f.sub.ARN), Owner: aws.String("000000000000"), Protocol: aws.String("sqs"),
			Endpoint: aws.String(f.queue.ARN()), TopicArn: aws.String(f.topic.ARN()),
		}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("subscriptions: got %+v, want %+v", got, want)
		}
	}
	attributes, err := f.client.GetTopicAttributes(ctx, &awssns.GetTopicAttributesInput{
		TopicArn: aws.String(f.topic.ARN()),
	})
	if err != nil || attributes.Attributes["SubscriptionsConfirmed"] != "1" ||
		attributes.Attributes["TopicArn"] != f.topic.ARN() ||
		attributes.Attributes["Policy"] != noStatements || attributes.Attributes["KmsMasterKeyId"] != "alias/aws/sns" {
		t.Errorf("attributes: got %+v, %v", attributes, err)
	}
	_, err = f.client.GetTopicAttributes(ctx, &awssns.GetTopicAttributesInput{
		TopicArn: aws.String(f.topic.ARN() + "2"),
	})
	if _, ok := errors.AsType[*types.NotFoundException](err); !ok {
		t.Errorf("attributes of an unknown topic: got %v, want NotFoundException", err)
	}
}

func TestTopicListHasPages(t *testing.T) {
	f := newFixture(t, false)
	for i := range pageSize {
		if _, err := f.topic.service.CreateTopic(TopicConfig{Name: fmt.Sprint("topic", i)}); err != nil {
			t.Fatal(err)
		}
	}
	got := 0
	for pages := awssns.NewListTopicsPaginator(f.client, nil); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got += len(page.Topics)
	}
	if got != pageSize+1 {
		t.Errorf("listed %d topics, want %d", got, pageSize+1)
	}
}

func TestPolicyIsTheTopics(t *testing.T) {
	service := New(Config{Region: "ap-northeast-2", AccountID: "000000000000"}, slog.New(slog.DiscardHandler))
	topic, err := service.CreateTopic(TopicConfig{Name: "news", Policy: `{"Statement":[]}`})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := service.Policy(topic.ARN()); got != `{"Statement":[]}` || !ok {
		t.Errorf("Policy(%s) = %q, %v; want the one that it was made with", topic.ARN(), got, ok)
	}
	if got, ok := service.Policy(topic.ARN() + "2"); ok {
		t.Errorf("Policy of a topic that is not there: got %q, want none", got)
	}
	if _, err := service.CreateTopic(
		TopicConfig{Name: "bad", Policy: `{"Statement":[{"Effect":"Maybe"}]}`}); err == nil ||
		!strings.Contains(err.Error(), "Policy") {
		t.Errorf("a policy that is none: got %v, want an error that names it", err)
	}
}

// https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
func TestTopicAttributesAreValidated(t *testing.T) {
	f := newFixture(t, false)
	for _, tt := range []struct {
		name, value string
		accepted    bool
	}{
		{"SignatureVersion", "2", true},
		{"SignatureVersion", "3", false},
		{"TracingConfig", "Active", true},
		{"TracingConfig", "active", false},
		{"Policy", `{"Statement":[]}`, true},
		{"Policy", "{}", false},
		{"Policy", "no policy", false},
	} {
		_, err := f.client.SetTopicAttributes(t.Context(), &awssns.SetTopicAttributesInput{
			TopicArn: stockEmpty.TopicArn, AttributeName: &tt.name, AttributeValue: &tt.value,
		})
		if (err == nil) != tt.accepted {
			t.Errorf("%s=%s: got error %v, want accepted: %v", tt.name, tt.value, err, tt.accepted)
		}
	}
}

// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
func TestTheEnvelopeHasTheTopicsSignatureVersion(t *testing.T) {
	f := newFixture(t, false)
	for _, version := range []string{"1", "2"} {
		_, err := f.client.SetTopicAttributes(t.Context(), &awssns.SetTopicAttributesInput{
			TopicArn: stockEmpty.TopicArn, AttributeName: aws.String("SignatureVersion"), AttributeValue: &version,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.topic.Publish(Notification{Message: "x"}); err != nil {
			t.Fatal(err)
		}
		if body := f.delivered(t)[0].Body; !strings.Contains(body, `"SignatureVersion":"`+version+`"`) {
			t.Errorf("got %s, want SignatureVersion %s", body, version)
		}
	}
}

// https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html#API_TagResource_Errors
func TestATopicHasAtMostFiftyTags(t *testing.T) {
	f := newFixture(t, false)
	tag := func(from, to int) error {
		var tags []types.Tag
		for i := from; i < to; i++ {
			tags = append(tags, types.Tag{Key: aws.String(fmt.Sprint(i)), Value: aws.String("x")})
		}
		in := awssns.TagResourceInput{ResourceArn: stockEmpty.TopicArn, Tags: tags}
		_, err := f.client.TagResource(t.Context(), &in)
		return err
	}
	if err := tag(0, 50); err != nil {
		t.Fatal(err)
	}
	var limit *types.TagLimitExceededException
	if err := tag(49, 51); !errors.As(err, &limit) {
		t.Errorf("got error %v for 51 tags, want TagLimitExceeded", err)
	}
	if err := tag(40, 50); err != nil {
		t.Errorf("the tags again: %v", err)
	}
}

// https://docs.aws.amazon.com/sns/latest/api/API_Tag.html
func TestTagsOfATopicHaveLimits(t *testing.T) {
	f := newFixture(t, false)
	for _, c := range []struct {
		name, key, value string
		refused          bool
	}{
		{"at the limits", strings.Repeat("é", 128), strings.Repeat("é", 256), false},
		{"no key", "", "x", true},
		{"a long key", strings.Repeat("é", 129), "x", true},
		{"a long value", "x", strings.Repeat("é", 257), true},
		{"a key of AWS", "aws:x", "x", true},
	} {
		_, err := f.client.TagResource(t.Context(), &awssns.TagResourceInput{
			ResourceArn: stockEmpty.TopicArn, Tags: []types.Tag{{Key: &c.key, Value: &c.value}},
		})
		var invalid *types.InvalidParameterException
		if errors.As(err, &invalid) != c.refused || !c.refused && err != nil {
			t.Errorf("%s: got error %v, want it refused: %v", c.name, err, c.refused)
		}
	}
}

// SQS refuses a body with characters that XML does not have. The envelope has them as escapes of
// JSON.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func TestCharactersThatSQSRefusesArriveInAnEnvelope(t *testing.T) {
	for _, raw := range []bool{false, true} {
		f := newFixture(t, raw)
		if _, err := f.topic.Publish(Notification{Message: "a\x01\uFFFE\uFFFFb"}); err != nil {
			t.Fatalf("raw %v: %v", raw, err)
		}
		got := f.delivered(t)
		if raw && len(got) != 0 || !raw && (len(got) != 1 ||
			!strings.Contains(got[0].Body, `"Message":"a\u0001\ufffe\uffffb"`)) {
			t.Errorf("raw %v: delivered %+v, want the message with escapes in an envelope, and none raw", raw, got)
		}
	}
}
