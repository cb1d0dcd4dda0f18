package sns

import (
	"context"
	"errors"
	"regexp"

	"restock/local/aws/awsapi"
	"restock/local/aws/sqs"
)

// maxBatch limits the messages in a batch.
const maxBatch = 10

// notification is a message of Publish or of a batch.
type notification struct {
	Message    string
	Subject    string
	Attributes []messageAttribute `xml:"MessageAttributes>entry"`
}

type messageAttribute struct {
	Name  string
	Value sqs.MessageAttribute
}

func (n notification) decode() Notification {
	attributes := map[string]sqs.MessageAttribute{}
	for _, a := range n.Attributes {
		attributes[a.Name] = a.Value
	}
	return Notification{Message: n.Message, Subject: n.Subject, Attributes: attributes}
}

type publishInput struct {
	TopicARN  string `xml:"TopicArn"`
	TargetARN string `xml:"TargetArn"` // an alternative to TopicArn
	notification
}

type publishOutput struct {
	MessageID string `xml:"MessageId"`
}

func (s *Service) publish(ctx context.Context, in publishInput) (publishOutput, error) {
	arn := in.TopicARN
	if arn == "" {
		arn = in.TargetARN
	}
	t, err := s.find(arn)
	if err != nil {
		return publishOutput{}, err
	}
	id, err := t.publish(ctx, in.decode())
	return publishOutput{MessageID: id}, err
}

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
	ID        string `xml:"Id"`
	MessageID string `xml:"MessageId"`
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
	if err := in.validate(); err != nil {
		return publishBatchOutput{}, err
	}
	var out publishBatchOutput
	for _, e := range in.Entries {
		id, err := t.publish(ctx, e.decode())
		var refused *awsapi.Error
		switch {
		case err == nil:
			out.Successful = append(out.Successful, publishBatchDone{ID: e.ID, MessageID: id})
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

var batchEntryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (in publishBatchInput) validate() error {
	if len(in.Entries) == 0 {
		return awsapi.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	}
	if len(in.Entries) > maxBatch {
		return awsapi.Errorf("TooManyEntriesInBatchRequest",
			"The batch request contains %d entries: %d are permissible.", len(in.Entries), maxBatch)
	}
	size, seen := 0, map[string]bool{}
	for _, e := range in.Entries {
		switch {
		case !batchEntryID.MatchString(e.ID):
			return awsapi.Errorf("InvalidBatchEntryId",
				"The batch entry id %q is invalid: it must be 1 to 80 letters, digits, hyphens and underscores.", e.ID)
		case seen[e.ID]:
			return awsapi.Errorf("BatchEntryIdsNotDistinct",
				"Two or more batch entries in the request have the id %s.", e.ID)
		}
		seen[e.ID] = true
		size += e.decode().size()
	}
	if size > maxMessageSize {
		return awsapi.Errorf("BatchRequestTooLong", "The batch's messages are %d bytes together: %d are permissible.",
			size, maxMessageSize)
	}
	return nil
}
