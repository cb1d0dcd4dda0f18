package awsapi

import "errors"

// Throttled reports whether an error says that a limit of AWS stopped a call: the error wraps one
// whose method Throttled() bool returns true. The reason is for people: the result of its method
// Reason() string, or its text if it has none.
func Throttled(err error) (reason string, ok bool) {
	var t interface {
		error
		Throttled() bool
	}
	if !errors.As(err, &t) || !t.Throttled() {
		return "", false
	}
	if described, ok := t.(interface{ Reason() string }); ok {
		return described.Reason(), true
	}
	return t.Error(), true
}
