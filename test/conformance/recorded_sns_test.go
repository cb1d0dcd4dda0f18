package conformance

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Values that AWS chooses, in messages of SNS.
var (
	snsTimestamp = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	snsMD5       = regexp.MustCompile(`[0-9a-f]{32}`)
	snsCert      = regexp.MustCompile(
		`https://sns\.[a-z0-9-]+\.amazonaws\.com/SimpleNotificationService-[0-9a-f]{32}\.pem`)
)

// snsTopic creates a topic and returns its ARN.
func (r *Recorded) snsTopic(attributes attributeMap) (arn string) {
	r.Helper()
	arn = r.call("sns", "CreateTopic", input{"Name": unique("topic"), "Attributes": attributes}).ok().text("TopicArn")
	r.Cleanup(func() { r.call("sns", "DeleteTopic", input{"TopicArn": arn}) })
	return arn
}

// snsQueue creates a queue to which topics may send.
func (r *Recorded) snsQueue() (url, arn string) {
	r.Helper()
	url, arn = r.queue(nil)
	policy, _ := json.Marshal(map[string]any{"Statement": map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
		"Resource": arn,
	}})
	set := input{"QueueUrl": url, "Attributes": attributeMap{"Policy": string(policy)}}
	r.call("sqs", "SetQueueAttributes", set).ok()
	return url, arn
}

// An snsSubscription is a queue that is subscribed to a topic.
type snsSubscription struct {
	r                         *Recorded
	topic, arn, queue, target string // target is the queue's ARN, and queue its URL
}

// subscribed creates a topic and a queue, and subscribes the queue with attributes.
func (r *Recorded) subscribed(attributes attributeMap) snsSubscription {
	r.Helper()
	return r.subscribedTo(r.snsTopic(nil), attributes)
}

func (r *Recorded) subscribedTo(topic string, attributes attributeMap) snsSubscription {
	r.Helper()
	s := snsSubscription{r: r, topic: topic}
	s.queue, s.target = r.snsQueue()
	s.arn = s.subscribe(attributes).ok().text("SubscriptionArn")
	return s
}

func (s snsSubscription) subscribe(attributes attributeMap) *answer {
	s.r.Helper()
	in := input{"TopicArn": s.topic, "Protocol": "sqs", "Endpoint": s.target, "ReturnSubscriptionArn": true}
	if attributes != nil {
		in["Attributes"] = attributes
	}
	return s.r.call("sns", "Subscribe", in)
}

func (s snsSubscription) set(name, value string) *answer {
	s.r.Helper()
	return s.r.call("sns", "SetSubscriptionAttributes",
		input{"SubscriptionArn": s.arn, "AttributeName": name, "AttributeValue": value})
}

// hasAttributes checks the attributes of the subscription: the default ones, and others.
func (s snsSubscription) hasAttributes(others input) {
	s.r.Helper()
	want := input{
		"ConfirmationWasAuthenticated": "true", "Endpoint": s.target, "Owner": regexp.MustCompile(`\d{12}`),
		"PendingConfirmation": "false", "Protocol": "sqs", "RawMessageDelivery": "false", "SubscriptionArn": s.arn,
		"SubscriptionPrincipal": regexp.MustCompile(`arn:aws:iam::\d{12}:\S+`), "TopicArn": s.topic,
		"FilterPolicy": missing{}, "FilterPolicyScope": missing{}, "RedrivePolicy": missing{},
	}
	maps.Copy(want, others)
	s.r.call("sns", "GetSubscriptionAttributes", input{"SubscriptionArn": s.arn}).answered(input{"Attributes": want})
}

// publish publishes a message with more parameters.
func (s snsSubscription) publish(message string, more input) *answer {
	s.r.Helper()
	in := input{"TopicArn": s.topic, "Message": message}
	maps.Copy(in, more)
	return s.r.call("sns", "Publish", in)
}

// published is the answer to Publish.
var published = input{"MessageId": anyUUID}

// delivers checks which messages the subscription has got since the last call, in the order of
// their bodies. Each is a text, which is the body of a raw delivery, or an object with members of
// the message.
func (s snsSubscription) delivers(want ...any) {
	s.r.Helper()
	s.r.receives(s.queue, want...)
}

// receives is like delivers, for a queue.
func (r *Recorded) receives(queue string, want ...any) {
	r.Helper()
	var got []any
	for range 10 {
		in := input{
			"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 5, "AttributeNames": []string{"All"},
			"MessageAttributeNames": []string{"All"},
		}
		if len(got) >= len(want) && !endpoint.other { // there, Publish returns after the delivery
			in["WaitTimeSeconds"] = 0
		}
		some, _ := r.call("sqs", "ReceiveMessage", in).ok().members["Messages"].([]any)
		for _, m := range some {
			handle := m.(map[string]any)["ReceiptHandle"]
			r.call("sqs", "DeleteMessage", input{"QueueUrl": queue, "ReceiptHandle": handle})
		}
		if got = append(got, some...); len(some) == 0 && len(got) >= len(want) {
			break
		}
	}
	body := func(m any) string { text, _ := m.(map[string]any)["Body"].(string); return text }
	slices.SortFunc(got, func(a, b any) int { return cmp.Compare(body(a), body(b)) })
	var messages []any
	for _, w := range want {
		message := input{
			"MD5OfBody": snsMD5, "MessageId": anyUUID, "ReceiptHandle": anyText, "MessageAttributes": missing{},
			"Attributes": input{
				"ApproximateFirstReceiveTimestamp": anyMillis, "ApproximateReceiveCount": "1", "SenderId": anyText,
				"SentTimestamp": anyMillis,
			},
		}
		switch w := w.(type) {
		case input:
			maps.Copy(message, w)
		default:
			message["Body"] = w
		}
		messages = append(messages, message)
	}
	if messages == nil {
		messages = []any{}
	}
	if got == nil {
		got = []any{}
	}
	r.fact("sns", "Publish", members, "the delivered messages", got, messages)
}

// envelope is the body of a delivery that is not raw, with more members.
func (s snsSubscription) envelope(message string, more input) jsonOf {
	want := input{
		"Type": "Notification", "MessageId": anyUUID, "TopicArn": s.topic, "Subject": missing{}, "Message": message,
		"Timestamp": snsTimestamp, "SignatureVersion": "1", "SigningCertURL": snsCert,
		"UnsubscribeURL": "https://sns." + strings.Split(s.topic, ":")[3] +
			".amazonaws.com/?Action=Unsubscribe&SubscriptionArn=" + s.arn,
		"MessageAttributes": missing{},
	}
	maps.Copy(want, more)
	return jsonOf{want}
}

// snsAttribute is a message attribute in a request.
func snsAttribute(kind, value string) input {
	if kind == "Binary" {
		return input{"DataType": kind, "BinaryValue": value} // in base64
	}
	return input{"DataType": kind, "StringValue": value}
}

// topicAttributes are the attributes of a topic without subscriptions.
func topicAttributes(arn, displayName string) input {
	account := strings.Split(arn, ":")[4]
	return input{"Attributes": input{
		"DisplayName": displayName, "Owner": account, "TopicArn": arn,
		"SubscriptionsConfirmed": "0", "SubscriptionsDeleted": "0", "SubscriptionsPending": "0",
		"KmsMasterKeyId": missing{}, "SignatureVersion": missing{}, "FifoTopic": missing{}, "TracingConfig": missing{},
		"EffectiveDeliveryPolicy": jsonOf{input{"http": input{
			"defaultHealthyRetryPolicy": input{
				"minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0,
				"numNoDelayRetries": 0, "numMinDelayRetries": 0, "backoffFunction": "linear",
			},
			"disableSubscriptionOverrides": false,
			"defaultRequestPolicy":         input{"headerContentType": "text/plain; charset=UTF-8"},
		}}},
		"Policy": jsonOf{input{
			"Version": "2008-10-17", "Id": "__default_policy_ID",
			"Statement": []input{{
				"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": input{"AWS": "*"},
				"Action": []any{
					"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
					"SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
				},
				"Resource": arn, "Condition": input{"StringEquals": input{"AWS:SourceOwner": account}},
			}},
		}},
	}}
}

// emptyList is a list without members in XML.
const emptyList = ""

const (
	topicGone        = "Topic does not exist"
	subscriptionGone = "Subscription does not exist"
	noARN            = " Reason: An ARN must have at least 6 elements, not "
)

// invalid checks a refusal with the code InvalidParameter.
func (a *answer) invalid(text string) {
	a.r.Helper()
	a.refused(400, "InvalidParameter", "Invalid parameter: "+text)
}

// inOtherRegion returns an ARN in another region.
func inOtherRegion(arn string) string {
	other := "eu-west-3"
	if endpoint.region == other {
		other = "us-east-1"
	}
	return strings.Replace(arn, ":"+endpoint.region+":", ":"+other+":", 1)
}
