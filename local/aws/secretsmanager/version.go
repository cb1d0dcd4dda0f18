package secretsmanager

import (
	"slices"
	"time"
	"unicode/utf8"

	"restock/local/aws/awsapi"
)

// The staging labels that Secrets Manager itself moves.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

// Limits of a secret. AWS documents "about 100" versions.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const (
	maxVersions        = 100
	maxLabels          = 20
	minVersionLifetime = 24 * time.Hour // no version is removed earlier
)

// version is one value of a secret. At most one version of a secret has a given staging label.
type version struct {
	id       string
	value    value // empty if a rotation has prepared the version and the function has not set it yet
	labels   []string
	created  time.Time
	accessed time.Time // zero before the first read
}

func (v *version) has(label string) bool { return slices.Contains(v.labels, label) }

func (v *version) drop(label string) {
	v.labels = slices.DeleteFunc(v.labels, func(l string) bool { return l == label })
}

// version returns the version with the id, or nil.
func (s *secret) version(id string) *version {
	return first(s.versions, func(v *version) bool { return v.id == id })
}

// labelled returns the version with the label, or nil.
func (s *secret) labelled(label string) *version {
	return first(s.versions, func(v *version) bool { return v.has(label) })
}

func first(versions []*version, ok func(*version) bool) *version {
	if i := slices.IndexFunc(versions, ok); i >= 0 {
		return versions[i]
	}
	return nil
}

// add adds a version without labels. Beyond 100 versions, Secrets Manager keeps only those with
// labels and those of the last 24 hours, up to a limit.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
func (s *secret) add(id string, v value, now time.Time) (*version, error) {
	if len(s.versions) >= maxVersions {
		oldest := slices.IndexFunc(s.versions, func(v *version) bool {
			return len(v.labels) == 0 && now.Sub(v.created) >= minVersionLifetime
		})
		if oldest < 0 {
			return nil, limitExceeded(
				"The secret has %d versions, and none of them is both without a staging label and a day old.",
				len(s.versions))
		}
		s.versions = slices.Delete(s.versions, oldest, oldest+1)
	}
	ver := &version{id: id, value: v, created: now}
	s.versions = append(s.versions, ver)
	s.changed = now
	return ver, nil
}

// remove removes a version.
func (s *secret) remove(id string) {
	s.versions = slices.DeleteFunc(s.versions, func(v *version) bool { return v.id == id })
}

// attach moves a label to a version. The version that loses AWSCURRENT gets AWSPREVIOUS.
func (s *secret) attach(label string, to *version) {
	from := s.labelled(label)
	if from == to {
		return
	}
	if from != nil {
		from.drop(label)
	}
	to.labels = append(to.labels, label)
	if label == current && from != nil {
		s.attach(previous, from)
	}
}

// move removes a label from one version, attaches it to another, or does both. The caller must name
// the version that has the label now, so that only one of two concurrent moves succeeds.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func (s *secret) move(label, fromID, toID string) error {
	for _, id := range []string{fromID, toID} {
		if id != "" && s.version(id) == nil {
			return valueNotFound("VersionId: " + id)
		}
	}
	holder, to := s.labelled(label), s.version(toID)
	switch {
	case fromID == "" && toID == "":
		return invalidParameter("You must provide RemoveFromVersionId, MoveToVersionId or both.")
	case holder != nil && holder.id != fromID && holder.id != toID:
		return invalidParameter(
			"The staging label %s is currently attached to version %s, so you must explicitly reference that version "+
				"in RemoveFromVersionId.", label, holder.id)
	case fromID != "" && (holder == nil || holder.id != fromID):
		return invalidParameter("The staging label %s is not attached to version %s.", label, fromID)
	case to == nil && label == current:
		return invalidParameter(
			"You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case to == nil:
		holder.drop(label)
		return nil
	case label == current && to.value.empty():
		return invalidRequest("The version %s has no value, so it can't become AWSCURRENT.", toID)
	}
	if err := s.roomForLabels(label); err != nil {
		return err
	}
	s.attach(label, to)
	return nil
}

// roomForLabels returns an error if the labels that are not yet in use exceed the limit.
func (s *secret) roomForLabels(labels ...string) error {
	used := map[string]bool{}
	for _, label := range labels {
		used[label] = true
	}
	for _, v := range s.versions {
		for _, label := range v.labels {
			used[label] = true
		}
	}
	if len(used) > maxLabels {
		return limitExceeded("A secret can have %d staging labels.", maxLabels)
	}
	return nil
}

func validLabel(label string) error {
	if n := utf8.RuneCountInString(label); n < 1 || n > 256 {
		return invalidParameter("A staging label must be 1 to 256 characters long.")
	}
	return nil
}

// versionLabels returns the labels of the versions that have labels.
func (s *secret) versionLabels() map[string][]string {
	labels := map[string][]string{}
	for _, v := range s.versions {
		if len(v.labels) > 0 {
			labels[v.id] = slices.Clone(v.labels)
		}
	}
	return labels
}

func limitExceeded(format string, args ...any) error {
	return awsapi.Errorf("LimitExceededException", format, args...)
}
