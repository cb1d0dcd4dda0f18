package secretsmanager

import "bytes"

// maxValueSize limits a secret's value, in bytes.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const maxValueSize = 64 << 10

// value is the confidential part of a secret: a text or bytes.
type value struct {
	text  *string
	bytes []byte
}

// String hides a value that is printed by mistake.
func (value) String() string { return "(secret)" }

// GoString hides it for %#v.
func (v value) GoString() string { return v.String() }

func (v value) empty() bool { return v.text == nil && v.bytes == nil }

func (v value) equal(other value) bool {
	if v.text == nil || other.text == nil {
		return v.text == other.text && bytes.Equal(v.bytes, other.bytes)
	}
	return *v.text == *other.text
}

func (v value) validate() error {
	switch {
	case v.text != nil && v.bytes != nil:
		return invalidParameter(
			"You can't specify both a binary secret value and a string secret value in the same secret.")
	case v.text != nil && (*v.text == "" || len(*v.text) > maxValueSize),
		v.bytes != nil && (len(v.bytes) == 0 || len(v.bytes) > maxValueSize):
		return invalidParameter("The secret value must be 1 to %d bytes long.", maxValueSize)
	default:
		return nil
	}
}
