package secrets

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// The types of this file's methods hold what opens the shop. No log, error text or JSON document
// may show it, so they answer slog, fmt and encoding/json with a text that does not. Code that
// needs the value reads the field. The only JSON with the value is the one that Secret.Put and
// Rotation send to Secrets Manager; they get it from the method document.

// Hidden is the text that logs and errors show in place of a secret.
const Hidden = "[hidden]"

// errNotJSON ends an encoding that would show a secret, or store a text in its place.
var errNotJSON = errors.New("a secret is not written as JSON; Secret.Put stores it")

// String names the user alone.
func (l Login) String() string { return "login of " + l.Username + ", password " + Hidden }

// Format is String for every verb: %+v and %#v would list the fields.
func (l Login) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

// LogValue is String, for slog.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalJSON fails.
func (l Login) MarshalJSON() ([]byte, error) { return nil, errNotJSON }

func (l Login) document() any {
	type document Login // without the methods
	return document(l)
}

// String says how long the key is.
func (k CallbackKey) String() string {
	return fmt.Sprintf("callback key of %d bytes, %s", len(k.Key), Hidden)
}

// Format is String for every verb: %+v and %#v would list the fields.
func (k CallbackKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue is String, for slog.
func (k CallbackKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON fails.
func (k CallbackKey) MarshalJSON() ([]byte, error) { return nil, errNotJSON }

func (k CallbackKey) document() any {
	type document CallbackKey // without the methods
	return document(k)
}
