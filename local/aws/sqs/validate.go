package sqs

import (
	"strings"
	"time"
	"unicode/utf8"
)

// validate checks a message against SQS's rules. The size limit is in bytes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (in SendInput) validate(delay time.Duration, maximumSize int) error {
	switch {
	case in.Body == "":
		return missingParameter("MessageBody")
	case hasInvalidContents(in.Body):
		return invalidMessageContents()
	case delay < 0 || delay > maxDelay:
		return outOfRange("DelaySeconds", int(delay/time.Second), 0, int(maxDelay/time.Second))
	case len(in.Attributes) > maxMessageAttributes:
		return invalidParameter("Number of message attributes [%d] exceeds the allowed maximum [%d].",
			len(in.Attributes), maxMessageAttributes)
	case in.size() > maximumSize:
		return invalidParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.",
			maximumSize)
	}
	for name, a := range in.Attributes {
		if err := a.Validate(name); err != nil {
			return invalidParameter("%s.", err)
		}
		if hasInvalidContents(a.DataType) || hasInvalidContents(a.StringValue) {
			return invalidMessageContents()
		}
	}
	return nil
}

// hasInvalidContents reports whether a text has characters that neither a body nor an attribute may
// have.
func hasInvalidContents(text string) bool {
	return strings.ContainsFunc(text, notAllowed) || !utf8.ValidString(text)
}

func (in SendInput) size() int {
	size := len(in.Body)
	for name, a := range in.Attributes {
		size += a.Size(name)
	}
	return size
}

// notAllowed reports whether XML 1.0 does not allow a character.
func notAllowed(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return false
	default:
		return r < 0x20 || r == 0xFFFE || r == 0xFFFF
	}
}

func (o ReceiveOptions) validate() error {
	switch {
	case o.MaxMessages < 0 || o.MaxMessages > maxBatch:
		return outOfRange("MaxNumberOfMessages", o.MaxMessages, 1, maxBatch)
	case o.Wait != nil && (*o.Wait < 0 || *o.Wait > maxWait):
		return invalidParameter("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= %d, "+
			"if provided.", *o.Wait/time.Second, maxWait/time.Second)
	case o.VisibilityTimeout != nil && (*o.VisibilityTimeout < 0 || *o.VisibilityTimeout > maxVisibilityTimeout):
		return outOfRange("VisibilityTimeout", int(*o.VisibilityTimeout/time.Second), 0,
			int(maxVisibilityTimeout/time.Second))
	default:
		return nil
	}
}
