package secrets

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// The types below hold secrets. No log, error text or JSON document may contain these, so the types
// implement the interfaces of slog, fmt and encoding/json without the secret. Code that needs the
// value reads the field. Secret.Put and Rotation send the value to Secrets Manager as JSON; they
// get it from the method document.

// Hidden is the text that logs and errors show in place of a secret.
const Hidden = "[hidden]"

// errNotJSON prevents an encoding that would show a secret, or store another text in its place.
var errNotJSON = errors.New("a secret is not written as JSON; Secret.Put stores it")

// String returns the user name only.
func (l Login) String() string { return "login of " + l.Username + ", password " + Hidden }

// Format writes String for every verb: %+v and %#v would list the fields.
func (l Login) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

// LogValue returns String, for slog.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalJSON always fails.
func (l Login) MarshalJSON() ([]byte, error) { return nil, errNotJSON }

func (l Login) document() any {
	type document Login // without the methods
	return document(l)
}

// String returns the length of the key.
func (k CallbackKey) String() string {
	return fmt.Sprintf("callback key of %d bytes, %s", len(k.Key), Hidden)
}

// Format writes String for every verb: %+v and %#v would list the fields.
func (k CallbackKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue returns String, for slog.
func (k CallbackKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON always fails.
func (k CallbackKey) MarshalJSON() ([]byte, error) { return nil, errNotJSON }

func (k CallbackKey) document() any {
	type document CallbackKey // without the methods
	return document(k)
}
