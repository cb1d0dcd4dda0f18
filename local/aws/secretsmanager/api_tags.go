package secretsmanager

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"
)

type tag struct{ Key, Value string }

type tagResourceInput struct {
	SecretID string `json:"SecretId"`
	Tags     []tag
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html
func (s *Service) tagResource(_ context.Context, in tagResourceInput) (struct{}, error) {
	return struct{}{}, s.changeTags(in.SecretID, func(tags []tag) ([]tag, error) { return withTags(tags, in.Tags) })
}

type untagResourceInput struct {
	SecretID string `json:"SecretId"`
	TagKeys  []string
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UntagResource.html
func (s *Service) untagResource(_ context.Context, in untagResourceInput) (struct{}, error) {
	return struct{}{}, s.changeTags(in.SecretID, func(tags []tag) ([]tag, error) {
		return slices.DeleteFunc(tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) }), nil
	})
}

func (s *Service) changeTags(id string, change func([]tag) ([]tag, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(id)
	if err != nil {
		return err
	}
	if err := sec.notDeleted(); err != nil {
		return err
	}
	tags, err := change(slices.Clone(sec.tags))
	if err != nil {
		return err
	}
	sec.tags, sec.changed = tags, time.Now()
	return nil
}

// withTags returns the tags of a secret with more of them. A tag replaces the one with its key.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Tag.html
func withTags(tags, more []tag) ([]tag, error) {
	const maxKey, maxValue, maxTags = 128, 256, 50 // characters, and tags of a secret
	for _, t := range more {
		if n := utf8.RuneCountInString(t.Key); n < 1 || n > maxKey || utf8.RuneCountInString(t.Value) > maxValue {
			return nil, invalidParameter("A tag must have a key of 1 to %d characters and a value of at most %d.",
				maxKey, maxValue)
		}
		if i := slices.IndexFunc(tags, func(old tag) bool { return old.Key == t.Key }); i >= 0 {
			tags[i] = t
		} else {
			tags = append(tags, t)
		}
	}
	if len(tags) > maxTags {
		return nil, invalidParameter("A secret can have %d tags.", maxTags)
	}
	return tags, nil
}
