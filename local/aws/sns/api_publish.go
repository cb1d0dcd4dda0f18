package sns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"restock/local/aws/awsapi"
	"restock/local/aws/sqs"
)

// maxBatch limits the messages in a batch.
const maxBatch = 10

// notification is a message of Publish or of a batch.
type notification struct {
	Message          string
	MessageStructure string
	MessageGroupID   string `xml:"MessageGroupId"` // or a tenant, for queues that are fair to tenants
	DeduplicationID  string `xml:"MessageDeduplicationId"`
	Subject          *string
	Attributes       []messageAttribute `xml:"MessageAttributes>entry"`
}

type messageAttribute struct {
	Name  string
	Value sqs.MessageAttribute
}

// decode returns the notification for a queue. within is where the message is in a batch, for a
// refusal of its attributes.
func (n notification) decode(within string) (Notification, error) {
	decoded := Notification{
		Message: n.Message, GroupID: n.MessageGroupID, DeduplicationID: n.DeduplicationID,
		Attributes: map[string]sqs.MessageAttribute{},
	}
	for _, a := range n.Attributes {
		if err := validateAttribute(within, a.Name, a.Value); err != nil {
			return decoded, err
		}
		decoded.Attributes[a.Name] = a.Value
	}
	if n.Subject != nil {
		decoded.Subject = *n.Subject
	}
	if decoded.size() > maxMessageSize {
		return decoded, errTooLong
	}
	switch n.MessageStructure {
	case "":
	case "json":
		var err error
		if decoded.Message, err = messageFor("sqs", n.Message); err != nil {
			return decoded, err
		}
	default:
		return decoded, invalidParameter("MessageStructure")
	}
	return decoded, nil
}

var errTooLong = invalidParameter("Message too long")

// messageFor returns the text for a protocol of a message with several texts, by protocols. A value
// that is not a text is ignored.
// https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
func messageFor(protocol, message string) (string, error) {
	var byProtocol map[string]any
	if err := json.Unmarshal([]byte(message), &byProtocol); err != nil {
		return "", invalidParameter("Message Structure - JSON message body failed to parse")
	}
	text, ok := byProtocol["default"].(string)
	if !ok {
		return "", invalidParameter("Message Structure - No default entry in JSON message body")
	}
	if own, ok := byProtocol[protocol].(string); ok {
		text = own
	}
	return text, nil
}

type publishInput struct {
	TopicARN  *string `xml:"TopicArn"`
	TargetARN *string `xml:"TargetArn"` // an alternative to TopicArn
	notification
}

type publishOutput struct {
	MessageID      string `xml:"MessageId"`
	SequenceNumber string `xml:",omitempty"`
}

func (s *Service) publish(ctx context.Context, in publishInput) (publishOutput, error) {
	t, err := s.target(in)
	if err != nil {
		return publishOutput{}, err
	}
	if in.Subject != nil && *in.Subject == "" {
		return publishOutput{}, invalidParameter("Subject")
	}
	n, err := in.decode("")
	if err != nil {
		return publishOutput{}, err
	}
	p, err := t.publish(ctx, n)
	return publishOutput{p.id, p.sequenceNumber}, err
}

// target finds the topic of a publication.
func (s *Service) target(in publishInput) (*Topic, error) {
	switch {
	case in.TopicARN != nil:
		return s.find(*in.TopicARN)
	case in.TargetARN == nil:
		return nil, invalidParameter("TopicArn or TargetArn Reason: no value for required parameter")
	case mobileEndpoint.MatchString(*in.TargetARN):
		return nil, invalidParameter("TargetArn Reason: No endpoint found for the target arn specified")
	default:
		return s.findAs("TargetArn", *in.TargetARN)
	}
}

var mobileEndpoint = regexp.MustCompile(`^arn:aws:sns:[a-z0-9-]+:\d{12}:endpoint/`)

type publishBatchInput struct {
	TopicARN string              `xml:"TopicArn"`
	Entries  []publishBatchEntry `xml:"PublishBatchRequestEntries>member"`
}

type publishBatchEntry struct {
	ID string `xml:"Id"`
	notification
}

type publishBatchOutput struct {
	Successful []publishBatchDone   `xml:"Successful>member"`
	Failed     []publishBatchFailed `xml:"Failed>member"`
}

type publishBatchDone struct {
	ID             string `xml:"Id"`
	MessageID      string `xml:"MessageId"`
	SequenceNumber string `xml:",omitempty"`
}

type publishBatchFailed struct {
	ID          string `xml:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
func (s *Service) publishBatch(ctx context.Context, in publishBatchInput) (publishBatchOutput, error) {
	t, err := s.find(in.TopicARN)
	if err != nil {
		return publishBatchOutput{}, err
	}
	messages, err := in.decode()
	if err != nil {
		return publishBatchOutput{}, err
	}
	for _, n := range messages { // SNS refuses the complete batch
		if err := t.settings().validateGroup(n); err != nil {
			return publishBatchOutput{}, err
		}
	}
	var out publishBatchOutput
	for i, e := range in.Entries {
		var p published
		err := invalidParameter("Subject")
		if e.Subject == nil || *e.Subject != "" {
			p, err = t.publish(ctx, messages[i])
		}
		var refused *awsapi.Error
		switch {
		case err == nil:
			out.Successful = append(out.Successful, publishBatchDone{e.ID, p.id, p.sequenceNumber})
		case errors.As(err, &refused):
			out.Failed = append(out.Failed, publishBatchFailed{
				ID: e.ID, Code: refused.Code, Message: refused.Message, SenderFault: true,
			})
		default:
			return publishBatchOutput{}, err
		}
	}
	return out, nil
}

const maxBatchEntryID = 80

var batchEntryID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// decode returns the messages of a batch. SNS refuses a complete batch for the attributes or the
// structure of one message.
func (in publishBatchInput) decode() ([]Notification, error) {
	if len(in.Entries) == 0 {
		return nil, awsapi.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	}
	if len(in.Entries) > maxBatch {
		return nil, awsapi.Errorf("TooManyEntriesInBatchRequest",
			"The batch request contains more entries than permissible.")
	}
	seen := map[string]bool{}
	for _, e := range in.Entries {
		switch {
		case !batchEntryID.MatchString(e.ID):
			return nil, awsapi.Errorf("InvalidBatchEntryId",
				"The Id of a batch entry in the batch request contains an impermissible character: %s", e.ID)
		case len(e.ID) > maxBatchEntryID:
			return nil, awsapi.Errorf("InvalidBatchEntryId",
				"The Id of a batch entry in the batch request is too long: %s", e.ID)
		case seen[e.ID]:
			return nil, awsapi.Errorf("BatchEntryIdsNotDistinct",
				"Two or more batch entries in the request have the same Id.")
		}
		seen[e.ID] = true
	}
	size := 0
	messages := make([]Notification, len(in.Entries))
	for i, e := range in.Entries {
		n, err := e.notification.decode(fmt.Sprintf("publishBatchRequestEntries.%d.member.", i+1))
		if size += n.size(); size > maxMessageSize {
			return nil, awsapi.Errorf("BatchRequestTooLong",
				"The length of all the messages put together is more than the limit.")
		}
		if err != nil {
			return nil, err
		}
		messages[i] = n
	}
	return messages, nil
}
