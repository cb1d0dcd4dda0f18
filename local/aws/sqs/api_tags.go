package sqs

import (
	"context"
	"encoding/xml"
	"maps"
	"slices"
	"unicode/utf8"
)

// tags are a queue's tags.
type tags map[string]string

// MarshalXML writes the tags, sorted by key.
func (t tags) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	for _, key := range slices.Sorted(maps.Keys(t)) {
		if err := e.EncodeElement(struct{ Key, Value string }{key, t[key]}, start); err != nil {
			return err
		}
	}
	return nil
}

// validate checks the lengths, in characters.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
func (t tags) validate() error {
	for key, value := range t {
		if n := utf8.RuneCountInString(key); n < 1 || n > 128 || utf8.RuneCountInString(value) > 256 {
			return invalidParameter(
				"The tag %q is invalid: its key must have 1 to 128 characters, its value up to 256.", key)
		}
	}
	return nil
}

type tagQueueInput struct {
	queueInput
	Tags tags `xml:"Tag"`
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_TagQueue.html
func (s *Service) tagQueue(_ context.Context, in tagQueueInput) (none, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return none{}, err
	}
	if len(in.Tags) == 0 {
		return none{}, missingParameter("Tags")
	}
	return none{}, q.tag(in.Tags)
}

func (q *Queue) tag(with tags) error {
	if err := with.validate(); err != nil {
		return err
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	maps.Copy(q.tags, with)
	return nil
}

type untagQueueInput struct {
	queueInput
	TagKeys []string `xml:"TagKey"`
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_UntagQueue.html
func (s *Service) untagQueue(_ context.Context, in untagQueueInput) (none, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return none{}, err
	}
	if len(in.TagKeys) == 0 {
		return none{}, missingParameter("TagKeys")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range in.TagKeys {
		delete(q.tags, key)
	}
	return none{}, nil
}

type listQueueTagsOutput struct {
	Tags tags `json:",omitempty" xml:"Tag"`
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueueTags.html
func (s *Service) listQueueTags(_ context.Context, in queueInput) (listQueueTagsOutput, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return listQueueTagsOutput{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return listQueueTagsOutput{Tags: maps.Clone(q.tags)}, nil
}
