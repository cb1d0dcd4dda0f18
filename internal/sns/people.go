package sns

import (
	"context"
	"fmt"
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
	message := fmt.Sprintf("For %s\n\n%s\n\n%s\n", manager, subject, text)
	return publish(ctx, p.Client, p.TopicARN, short(subject), message, map[string]string{attributeManager: manager})
}

// short is a subject that is not too long.
func short(subject string) string {
	if runes := []rune(subject); len(runes) > maxSubject {
		return string(runes[:maxSubject-1]) + "…"
	}
	return subject
}
