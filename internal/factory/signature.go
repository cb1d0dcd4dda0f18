package factory

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// The query parameters of a callback URL: the quantity that was asked for, the id of the buyer's
// request that caused the order, and the signature. Their values need no escapes in a URL: it is
// not documented whether the API undoes escapes before it sends the values into a queue.
const (
	quantityParameter    = "quantity"
	correlationParameter = "correlation"
	signatureParameter   = "signature"
)

// An Attempt is one request to the factory to make a production order.
type Attempt struct {
	ProductionOrderID uuid.UUID
	ID                uuid.UUID
	Quantity          int // that the attempt asks for
	// Correlation is the id of the buyer's request. An attempt without one is its own.
	Correlation string
}

// A Signer signs the callback URLs that the factory gets. The factory signs nothing, but it calls
// the URL that it was given. The URL says which attempt of which production order it is for and how
// many goods that asked for, and the signature proves that we wrote it.
//
// A signature does not expire. Goods that are reported late were made all the same: if we refused
// the callback, they would be missing in the books. To replay a callback gains nothing: an attempt
// is booked once, and a callback for a closed order raises a notice. To invalidate all signatures,
// replace the key.
type Signer struct{ key []byte }

// minKey is the smallest length of a key, in bytes. A shorter key weakens HMAC:
// https://www.rfc-editor.org/rfc/rfc2104#section-3
const minKey = sha256.Size

// NewSigner returns a signer with a key. A short key is an error: it was written by hand, and
// anyone could guess it.
func NewSigner(key []byte) (Signer, error) {
	if len(key) < minKey {
		return Signer{}, fmt.Errorf("the callback key has %d bytes, want %d or more", len(key), minKey)
	}
	return Signer{key}, nil
}

// sign signs an attempt. correlation is the text in the URL.
func (s Signer) sign(order, attempt uuid.UUID, quantity int, correlation string) string {
	if len(s.key) < minKey {
		panic("factory: use NewSigner to make a Signer")
	}
	mac := hmac.New(sha256.New, s.key)
	// All parts but the last have a fixed size, so two attempts never have the same message.
	mac.Write(order[:])
	mac.Write(attempt[:])
	// Two different numbers never convert to the same 64 bits.
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(quantity))) // #nosec G115
	mac.Write([]byte(correlation))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CallbackURL returns the URL that the factory calls when an attempt is done. It replaces {order}
// and {attempt} in the template.
func (s Signer) CallbackURL(baseURL, template string, a Attempt) CallbackURL {
	path := strings.NewReplacer("{order}", a.ProductionOrderID.String(), "{attempt}", a.ID.String()).Replace(template)
	correlation := base64.RawURLEncoding.EncodeToString([]byte(cmp.Or(a.Correlation, a.ID.String())))
	query := url.Values{
		quantityParameter:    {strconv.Itoa(a.Quantity)},
		correlationParameter: {correlation},
		signatureParameter:   {s.sign(a.ProductionOrderID, a.ID, a.Quantity, correlation)},
	}
	return CallbackURL(strings.TrimSuffix(baseURL, "/") + path + "?" + query.Encode())
}

// SignedParameters returns the query parameters of a callback URL.
func SignedParameters() []string {
	return []string{quantityParameter, correlationParameter, signatureParameter}
}

// CheckSigned refuses a callback without a signature. It needs no key. The error has
// CodeInvalidSignature.
func CheckSigned(query url.Values) error {
	if query.Get(signatureParameter) == "" {
		return &shop.Error{Code: shop.CodeInvalidSignature, Detail: "the callback is not signed"}
	}
	return nil
}

// Verify checks the signature of a callback URL in constant time, and returns the attempt that the
// URL is for. The error has CodeInvalidSignature.
func (s Signer) Verify(order, attempt uuid.UUID, query url.Values) (Attempt, error) {
	if err := CheckSigned(query); err != nil {
		return Attempt{}, err
	}
	given := query.Get(signatureParameter)
	quantity, err := strconv.Atoi(query.Get(quantityParameter))
	correlation := query.Get(correlationParameter)
	if err != nil || !hmac.Equal([]byte(given), []byte(s.sign(order, attempt, quantity, correlation))) {
		return Attempt{}, &shop.Error{Code: shop.CodeInvalidSignature, Detail: "the callback's signature is not ours"}
	}
	return Attempt{ProductionOrderID: order, ID: attempt, Quantity: quantity, Correlation: CorrelationOf(query)}, nil
}

// CorrelationOf returns the id of the buyer's request in the query of a callback URL.
func CorrelationOf(query url.Values) string {
	correlation := query.Get(correlationParameter)
	if plain, err := base64.RawURLEncoding.DecodeString(correlation); err == nil {
		return string(plain)
	}
	return correlation // from an earlier version, which wrote the id as it is
}
