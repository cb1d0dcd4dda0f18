package sns

import (
	"time"

	"github.com/google/uuid"
)

// Example returns the notification that a queue gets from a topic for a message.
func Example(topicARN, message string) (string, error) {
	sub := Subscription{TopicARN: topicARN, ARN: topicARN + ":" + uuid.NewString()}
	return sub.wrap(Notification{Message: message}, uuid.NewString(), time.Now())
}
