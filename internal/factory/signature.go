package factory

import (
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
// request that caused the order, and the signature.
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
	Correlation       string
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

func (s Signer) sign(a Attempt) string {
	if len(s.key) < minKey {
		panic("factory: use NewSigner to make a Signer")
	}
	mac := hmac.New(sha256.New, s.key)
	// All parts but the last have a fixed size, so two attempts never have the same message.
	mac.Write(a.ProductionOrderID[:])
	mac.Write(a.ID[:])
	// Two different numbers never convert to the same 64 bits.
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(a.Quantity))) // #nosec G115
	mac.Write([]byte(a.Correlation))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CallbackURL returns the URL that the factory calls when an attempt is done. It replaces {order}
// and {attempt} in the template.
func (s Signer) CallbackURL(baseURL, template string, a Attempt) CallbackURL {
	path := strings.NewReplacer("{order}", a.ProductionOrderID.String(), "{attempt}", a.ID.String()).Replace(template)
	query := url.Values{quantityParameter: {strconv.Itoa(a.Quantity)}, signatureParameter: {s.sign(a)}}
	if a.Correlation != "" {
		query.Set(correlationParameter, a.Correlation)
	}
	return CallbackURL(strings.TrimSuffix(baseURL, "/") + path + "?" + query.Encode())
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
	a := Attempt{ProductionOrderID: order, ID: attempt, Quantity: quantity, Correlation: correlation}
	if err != nil || !hmac.Equal([]byte(given), []byte(s.sign(a))) {
		return Attempt{}, &shop.Error{Code: shop.CodeInvalidSignature, Detail: "the callback's signature is not ours"}
	}
	return a, nil
}
