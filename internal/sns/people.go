package sns

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// People tells people something, by a topic that they subscribe to by email.
type People struct {
	Client   Client
	TopicARN string
}

// maxSubject is how long a subject may be, in characters: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const maxSubject = 99

// attributeManager is the address of who it is for. A subscription may filter by it.
const attributeManager = "manager"

// Tell tells whom a matter is for.
func (p People) Tell(ctx context.Context, manager, subject, text string) error {
	_, err := p.Client.Publish(ctx, &sns.PublishInput{
		TopicArn: aws.String(p.TopicARN),
		Subject:  aws.String(short(subject)),
		Message:  aws.String(fmt.Sprintf("For %s\n\n%s\n\n%s\n", manager, subject, text)),
		MessageAttributes: map[string]types.MessageAttributeValue{
			attributeManager: {DataType: aws.String("String"), StringValue: aws.String(manager)},
		},
	})
	if err != nil {
		return fmt.Errorf("publishing to %s: %w", p.TopicARN, err)
	}
	return nil
}

// short is a subject that is not too long.
func short(subject string) string {
	if runes := []rune(subject); len(runes) > maxSubject {
		return string(runes[:maxSubject-1]) + "…"
	}
	return subject
}
