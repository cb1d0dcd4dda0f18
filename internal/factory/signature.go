package factory

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// signatureParameter is the query parameter that proves that a callback's URL came from us.
const signatureParameter = "signature"

// A Signer signs the callback URLs that are given to the factory. The factory signs nothing, so what is sure to come back
// is the URL: it says which attempt of which production order it is for, and that we wrote it.
type Signer struct{ Key []byte }

// minKey is the least length of a key, in bytes: HMAC's own strength, https://www.rfc-editor.org/rfc/rfc2104#section-3.
const minKey = sha256.Size

// Sign returns the signature of an attempt.
func (s Signer) Sign(order, attempt uuid.UUID) string {
	if len(s.Key) < minKey {
		panic("factory: the callback key is too short to sign with") // made by setup, never by a person
	}
	mac := hmac.New(sha256.New, s.Key)
	mac.Write(order[:]) // both are 16 bytes: no other pair makes the same message
	mac.Write(attempt[:])
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CallbackURL is where the factory tells that an attempt is done. The template's {order} and {attempt} are replaced.
func (s Signer) CallbackURL(baseURL, template string, order, attempt uuid.UUID) string {
	path := strings.NewReplacer("{order}", order.String(), "{attempt}", attempt.String()).Replace(template)
	query := url.Values{signatureParameter: {s.Sign(order, attempt)}}
	return strings.TrimSuffix(baseURL, "/") + path + "?" + query.Encode()
}

// Verify checks that a callback's URL is one of ours, in a time that does not tell how wrong it is. The error has
// CodeInvalidSignature.
func (s Signer) Verify(order, attempt uuid.UUID, query url.Values) error {
	given := query.Get(signatureParameter)
	if given == "" {
		return &shop.Error{Code: shop.CodeInvalidSignature, Detail: "the callback is not signed"}
	}
	if !hmac.Equal([]byte(given), []byte(s.Sign(order, attempt))) {
		return &shop.Error{Code: shop.CodeInvalidSignature, Detail: "the callback's signature is not ours"}
	}
	return nil
}
