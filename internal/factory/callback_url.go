package factory

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"

	"restock/internal/secrets"
)

// A CallbackURL is the URL that the factory calls when an attempt is done. Anyone who knows it can
// book goods, so no log and no error text may show its query, which holds the signature. To use the
// URL, convert it to a string.
type CallbackURL string

// String returns the URL without its query.
func (u CallbackURL) String() string {
	where, _, signed := strings.Cut(string(u), "?")
	if signed {
		where += "?" + secrets.Hidden
	}
	return where
}

// Format writes String for every verb.
func (u CallbackURL) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.String()) }

// LogValue returns String, for slog.
func (u CallbackURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// hideIn replaces the signature in a text that may contain the URL. The factory's answers repeat
// the request.
func (u CallbackURL) hideIn(text []byte) string {
	_, query, _ := strings.Cut(string(u), "?")
	values, _ := url.ParseQuery(query) // a URL that cannot be parsed is not ours, and has no signature
	if signature := values.Get(signatureParameter); signature != "" {
		return strings.ReplaceAll(string(text), signature, secrets.Hidden)
	}
	return string(text)
}

// LogValue returns the request without the signature. slog would otherwise log the callback URL as
// JSON.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(slog.String("product", r.ProductID), slog.String("quantity", r.ProductCnt),
		slog.Any("callback", r.CallbackURL))
}

// String returns the length of the key.
func (s Signer) String() string { return "signer with a key of " + fmt.Sprint(len(s.key)) + " bytes" }

// Format writes String for every verb: %+v would list the key.
func (s Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns String, for slog.
func (s Signer) LogValue() slog.Value { return slog.StringValue(s.String()) }
