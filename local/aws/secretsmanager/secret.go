package secretsmanager

import (
	"slices"
	"strings"
	"time"
)

// secret is a secret with its versions. The service's lock guards it; its name and ARN never
// change.
type secret struct {
	name, arn, description string
	policy                 string // the resource policy, or ""
	tags                   []tag
	created, changed       time.Time
	accessed               time.Time  // zero before the first read
	deletion               time.Time  // end of the recovery window; zero unless it is marked for deletion
	versions               []*version // in the order of their creation
	rotation               rotation
}

// owner returns the AWS service that manages the secret, such as "rds", or "" for a secret of the
// account itself.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/service-linked-secrets.html
func (s *secret) owner() string {
	if service, _, managed := strings.Cut(s.name, "!"); managed {
		return service
	}
	return ""
}

// writable returns an error if the secret may not be changed.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html#API_PutSecretValue_Errors
func (s *secret) writable() error {
	if owner := s.owner(); owner != "" {
		return invalidRequest("The secret %s is managed by %s, and you must use that service to update it.",
			s.name, owner)
	}
	return s.notDeleted()
}

func (s *secret) notDeleted() error {
	if !s.deletion.IsZero() {
		return invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return nil
}

// put adds a version with a value and attaches the labels to it. A secret's first version is always
// AWSCURRENT.
func (s *secret) put(id string, v value, labels []string, now time.Time) (*version, error) {
	if len(s.versions) == 0 && !slices.Contains(labels, current) {
		labels = append(slices.Clone(labels), current)
	}
	if err := s.roomForLabels(labels...); err != nil {
		return nil, err
	}
	ver, err := s.add(id, v, now)
	if err != nil {
		return nil, err
	}
	s.attachAll(labels, ver)
	return ver, nil
}

// fill sets the value of a version that a rotation has prepared.
func (s *secret) fill(ver *version, v value, labels []string, now time.Time) error {
	if err := s.roomForLabels(labels...); err != nil {
		return err
	}
	ver.value, s.changed = v, now
	s.attachAll(labels, ver)
	return nil
}

// attachAll attaches the labels of a new value to its version. A value that becomes AWSCURRENT ends
// the rotation that made the value before it: that version loses AWSPENDING. AWS documents this
// nowhere; test_update_secret_version_stages_current_pending in test/conformance records it.
func (s *secret) attachAll(labels []string, ver *version) {
	if before := s.labelled(current); before != nil && before != ver && slices.Contains(labels, current) {
		before.drop(pending)
	}
	for _, label := range labels {
		s.attach(label, ver)
	}
}

// choose returns the version with the id; if a label is given too, the version must have it.
// Without an id it returns the version with the label, which defaults to AWSCURRENT.
func (s *secret) choose(id, label string) (*version, error) {
	if id == "" {
		if label == "" {
			label = current
		}
		v := s.labelled(label)
		if v == nil || v.value.empty() {
			return nil, valueNotFound("staging label: " + label)
		}
		return v, nil
	}
	v := s.version(id)
	switch {
	case v == nil:
		return nil, valueNotFound("VersionId: " + id)
	case label != "" && !v.has(label):
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	case v.value.empty():
		return nil, valueNotFound("VersionId: " + id)
	default:
		return v, nil
	}
}
