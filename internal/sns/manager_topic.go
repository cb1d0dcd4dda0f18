package sns

import (
	"context"
	"fmt"
)

// A ManagerTopic is an SNS topic that managers of advertisements subscribe to by email.
type ManagerTopic struct {
	Client   Client
	TopicARN string
}

// maxSubject is the longest subject, in characters:
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const maxSubject = 99

// attributeManager is the message attribute with the manager's email address. A subscription may
// filter by it.
const attributeManager = "manager"

// Notify sends a message to the manager responsible.
func (t ManagerTopic) Notify(ctx context.Context, manager, subject, text string) error {
	message := fmt.Sprintf("For %s\n\n%s\n\n%s\n", manager, subject, text)
	attributes := map[string]string{attributeManager: manager}
	return publish(ctx, t.Client, t.TopicARN, short(subject), message, attributes)
}

// short cuts a subject that is too long for SNS.
func short(subject string) string {
	if runes := []rune(subject); len(runes) > maxSubject {
		return string(runes[:maxSubject-1]) + "…"
	}
	return subject
}
