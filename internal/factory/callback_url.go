package factory

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"

	"restock/internal/secrets"
)

// A CallbackURL is where the factory tells that an attempt is done. Whoever knows it can book goods,
// so no log and no error text may show its query, which holds the signature. To use the URL, convert
// it to a string.
type CallbackURL string

// String is the URL without its query.
func (u CallbackURL) String() string {
	where, _, signed := strings.Cut(string(u), "?")
	if signed {
		where += "?" + secrets.Hidden
	}
	return where
}

// Format is String for every verb.
func (u CallbackURL) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.String()) }

// LogValue is String, for slog.
func (u CallbackURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// hideIn replaces the signature in a text that may repeat the URL: the factory's answers echo requests.
func (u CallbackURL) hideIn(text []byte) string {
	_, query, _ := strings.Cut(string(u), "?")
	values, _ := url.ParseQuery(query) // a URL of ours can be read; another one holds no signature of ours
	if signature := values.Get(signatureParameter); signature != "" {
		return strings.ReplaceAll(string(text), signature, secrets.Hidden)
	}
	return string(text)
}

// LogValue is the request without what is secret. Without it, slog's JSON would show the callback URL.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(slog.String("product", r.ProductID), slog.String("quantity", r.ProductCnt), slog.Any("callback", r.CallbackURL))
}

// String says that there is a key.
func (s Signer) String() string { return "signer with a key of " + fmt.Sprint(len(s.key)) + " bytes" }

// Format is String for every verb: %+v would list the key.
func (s Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is String, for slog.
func (s Signer) LogValue() slog.Value { return slog.StringValue(s.String()) }
