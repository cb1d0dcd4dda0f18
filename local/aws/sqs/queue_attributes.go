package sqs

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// queueAttribute converts a field of QueueConfig from and to the API's text.
type queueAttribute struct {
	get func(QueueConfig) (value string, set bool)
	set func(c *QueueConfig, value string) error // QueueConfig.validate checks the range
}

// queueAttributes are the attributes that a caller may set, by the API's names.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
var queueAttributes = map[string]queueAttribute{
	"DelaySeconds": inSeconds(func(c *QueueConfig) *time.Duration { return &c.Delay }),
	"MessageRetentionPeriod": inSeconds(
		func(c *QueueConfig) *time.Duration { return &c.MessageRetentionPeriod }),
	"ReceiveMessageWaitTimeSeconds": inSeconds(
		func(c *QueueConfig) *time.Duration { return &c.ReceiveMessageWaitTime }),
	"VisibilityTimeout": inSeconds(func(c *QueueConfig) *time.Duration { return &c.VisibilityTimeout }),
	"MaximumMessageSize": {
		get: func(c QueueConfig) (string, bool) { return strconv.Itoa(c.MaximumMessageSize), true },
		set: func(c *QueueConfig, value string) (err error) {
			c.MaximumMessageSize, err = strconv.Atoi(value)
			return err
		},
	},
	"Policy": {
		get: func(c QueueConfig) (string, bool) { return c.Policy, c.Policy != "" },
		set: func(c *QueueConfig, value string) error { c.Policy = value; return nil },
	},
	"KmsMasterKeyId": {
		get: func(c QueueConfig) (string, bool) { return c.KMSMasterKeyID, c.KMSMasterKeyID != "" },
		set: func(c *QueueConfig, value string) error {
			c.KMSMasterKeyID = value
			c.SQSManagedSSE = c.SQSManagedSSE && value == "" // each kind of encryption replaces the other
			return nil
		},
	},
	"KmsDataKeyReusePeriodSeconds": {
		get: func(c QueueConfig) (string, bool) { return seconds(c.KMSDataKeyReusePeriod), c.KMSMasterKeyID != "" },
		set: inSeconds(func(c *QueueConfig) *time.Duration { return &c.KMSDataKeyReusePeriod }).set,
	},
	"SqsManagedSseEnabled": {
		get: func(c QueueConfig) (string, bool) { return strconv.FormatBool(c.SQSManagedSSE), true },
		set: func(c *QueueConfig, value string) (err error) {
			c.SQSManagedSSE, err = strconv.ParseBool(value)
			return err
		},
	},
	"RedrivePolicy": {
		get: func(c QueueConfig) (string, bool) { return marshal(c.RedrivePolicy), c.RedrivePolicy != nil },
		set: func(c *QueueConfig, value string) error {
			// SQS also accepts the number as a string.
			var p *struct {
				DeadLetterTargetARN string      `json:"deadLetterTargetArn"`
				MaxReceiveCount     json.Number `json:"maxReceiveCount"`
			}
			if err := unmarshal(value, &p); err != nil || p == nil {
				c.RedrivePolicy = nil
				return err
			}
			count, err := strconv.Atoi(p.MaxReceiveCount.String())
			c.RedrivePolicy = &RedrivePolicy{DeadLetterTargetARN: p.DeadLetterTargetARN, MaxReceiveCount: count}
			return err
		},
	},
	"RedriveAllowPolicy": {
		get: func(c QueueConfig) (string, bool) { return marshal(c.RedriveAllowPolicy), c.RedriveAllowPolicy != nil },
		set: func(c *QueueConfig, value string) error {
			c.RedriveAllowPolicy = nil
			return unmarshal(value, &c.RedriveAllowPolicy)
		},
	},
}

// fifoAttributes are the attributes that only a FIFO queue has, apart from FifoQueue.
var fifoAttributes = map[string]queueAttribute{
	"ContentBasedDeduplication": {
		get: func(c QueueConfig) (string, bool) { return strconv.FormatBool(c.ContentBasedDeduplication), true },
		set: func(c *QueueConfig, value string) (err error) {
			c.ContentBasedDeduplication, err = strconv.ParseBool(value)
			return err
		},
	},
	"DeduplicationScope": {
		get: func(c QueueConfig) (string, bool) { return c.DeduplicationScope, true },
		set: func(c *QueueConfig, value string) error { c.DeduplicationScope = value; return nil },
	},
	"FifoThroughputLimit": {
		get: func(c QueueConfig) (string, bool) { return c.FIFOThroughputLimit, true },
		set: func(c *QueueConfig, value string) error { c.FIFOThroughputLimit = value; return nil },
	},
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

func inSeconds(field func(*QueueConfig) *time.Duration) queueAttribute {
	return queueAttribute{
		get: func(c QueueConfig) (string, bool) { return seconds(*field(&c)), true },
		set: func(c *QueueConfig, value string) error {
			seconds, err := strconv.ParseInt(value, 10, 32)
			*field(c) = time.Duration(seconds) * time.Second
			return err
		},
	}
}

// unmarshal leaves the value unchanged if the text is empty. An empty text removes an attribute.
func unmarshal(text string, value any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), value)
}

func marshal(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(text)
}

// Set sets an attribute by the API's name, such as "VisibilityTimeout" or "RedrivePolicy". The
// value is the API's text. Set fails if the attribute does not exist or the value has the wrong
// type. CreateQueue checks the range.
func (c *QueueConfig) Set(attribute, value string) error {
	a, ok := queueAttributes[attribute]
	ofFIFO, isOfFIFO := fifoAttributes[attribute]
	switch {
	case attribute == "FifoQueue":
		return c.setFIFO(value)
	case isOfFIFO && c.FIFO:
		a = ofFIFO
	case attribute == "DeduplicationScope" || attribute == "FifoThroughputLimit":
		return invalidAttributeName("You can specify the %s only when FifoQueue is set to true.", attribute)
	case !ok:
		return unknownAttribute(attribute)
	}
	if err := a.set(c, value); err != nil {
		return invalidAttributeValue("Invalid value for the parameter %s.", attribute)
	}
	return nil
}

func (c *QueueConfig) setFIFO(value string) error {
	isFIFO, err := strconv.ParseBool(value)
	switch {
	case err != nil:
		return invalidAttributeValue("Invalid value for the parameter FifoQueue.")
	case !isFIFO && c.FIFO:
		return invalidAttributeValue(
			"Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
	case !isFIFO:
		return unknownAttribute("FifoQueue")
	}
	c.FIFO = true
	return nil
}

func (c *QueueConfig) set(attributes map[string]string) error {
	// The other attributes of a FIFO queue are refused before this one is set.
	if value, given := attributes["FifoQueue"]; given {
		if err := c.setFIFO(value); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if err := c.Set(name, attributes[name]); err != nil {
			return err
		}
	}
	return nil
}

func (c QueueConfig) attributes() map[string]string {
	attributes := map[string]string{}
	add := func(all map[string]queueAttribute) {
		for name, a := range all {
			if value, set := a.get(c); set {
				attributes[name] = value
			}
		}
	}
	add(queueAttributes)
	if c.FIFO {
		attributes["FifoQueue"] = "true"
		add(fifoAttributes)
	}
	return attributes
}
