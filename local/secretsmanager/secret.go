package secretsmanager

import (
	"bytes"
	"maps"
	"slices"
	"time"
)

// The staging labels that Secrets Manager moves by itself.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// secret is a secret with its versions. It is guarded by its service's lock.
type secret struct {
	name, arn, description string
	tags                   []tag
	created, changed       time.Time
	accessed               time.Time           // zero before the first read
	versions               map[string]*version // by id
}

// version is a value of a secret. A staging label is on one version of a secret at most.
type version struct {
	id       string
	value    value
	stages   []string
	created  time.Time
	accessed time.Time // zero before the first read
}

// value is what must stay secret: a text or bytes.
type value struct {
	text  *string
	bytes []byte
}

// String keeps a value that is printed or logged by mistake out of sight.
func (value) String() string { return "(secret)" }

func (v value) empty() bool { return v.text == nil && v.bytes == nil }

func (v value) equal(other value) bool {
	if v.text == nil || other.text == nil {
		return v.text == other.text && bytes.Equal(v.bytes, other.bytes)
	}
	return *v.text == *other.text
}

// put adds a version and attaches the labels to it. A secret's first version is always the current one.
func (s *secret) put(id string, v value, stages []string, now time.Time) *version {
	ver := &version{id: id, value: v, created: now}
	first := len(s.versions) == 0
	s.versions[id] = ver
	for _, stage := range stages {
		s.attach(stage, ver)
	}
	if first {
		s.attach(current, ver)
	}
	s.changed = now
	return ver
}

// attach moves a label to a version. The version that AWSCURRENT leaves becomes AWSPREVIOUS.
func (s *secret) attach(stage string, to *version) {
	from := s.withStage(stage)
	if from == to {
		return
	}
	if from != nil {
		from.drop(stage)
	}
	to.stages = append(to.stages, stage)
	if stage == current && from != nil {
		s.attach(previous, from)
	}
}

func (v *version) drop(stage string) {
	v.stages = slices.DeleteFunc(v.stages, func(s string) bool { return s == stage })
}

// withStage returns the version that has the label, or nil.
func (s *secret) withStage(stage string) *version {
	for _, v := range s.versions {
		if slices.Contains(v.stages, stage) {
			return v
		}
	}
	return nil
}

// newestFirst returns the versions, the newest first.
func (s *secret) newestFirst() []*version {
	return slices.SortedFunc(maps.Values(s.versions), func(a, b *version) int { return b.created.Compare(a.created) })
}

// stages returns the labels of the versions that have any.
func (s *secret) stages() map[string][]string {
	stages := map[string][]string{}
	for id, v := range s.versions {
		if len(v.stages) > 0 {
			stages[id] = slices.Clone(v.stages)
		}
	}
	return stages
}
