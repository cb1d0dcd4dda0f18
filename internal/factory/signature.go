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

// The query parameters of a callback's URL: how much was asked for, the id of the buyer's request that is the cause, and the proof that
// we wrote it.
const (
	quantityParameter    = "quantity"
	correlationParameter = "correlation"
	signatureParameter   = "signature"
)

// An Attempt is one request to the factory to get a production order made.
type Attempt struct {
	ProductionOrderID uuid.UUID
	ID                uuid.UUID
	Quantity          int // asked for
	Correlation       string
}

// A Signer signs the callback URLs that are given to the factory. The factory signs nothing, so what is sure to come back
// is the URL: it says which attempt of which production order it is for, how much that asked for, and that we wrote it.
//
// A signature has no end. What comes late was made all the same, and stands in the yard: to refuse it would lose it from the books, which is
// worse than what an end protects from. Nothing is gained by sending a callback again, as an attempt is booked once, for ever; one that
// comes after its order was closed is booked, and reported to people. The key may be replaced, which ends all that it has signed.
type Signer struct{ key []byte }

// minKey is the least length of a key, in bytes: HMAC's own strength, https://www.rfc-editor.org/rfc/rfc2104#section-3.
const minKey = sha256.Size

// NewSigner makes a signer of a key. One that is too short to sign with is an error: somebody has written the secret by hand.
func NewSigner(key []byte) (Signer, error) {
	if len(key) < minKey {
		return Signer{}, fmt.Errorf("the callback key has %d bytes, want %d or more", len(key), minKey)
	}
	return Signer{key}, nil
}

func (s Signer) sign(a Attempt) string {
	if len(s.key) < minKey {
		panic("factory: a Signer that NewSigner has not made")
	}
	mac := hmac.New(sha256.New, s.key)
	// All parts but the last are of fixed size: no other attempt makes the same message.
	mac.Write(a.ProductionOrderID[:])
	mac.Write(a.ID[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(a.Quantity))) // #nosec G115 -- no two numbers have the same bits
	mac.Write([]byte(a.Correlation))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CallbackURL is where the factory tells that an attempt is done. The template's {order} and {attempt} are replaced.
func (s Signer) CallbackURL(baseURL, template string, a Attempt) CallbackURL {
	path := strings.NewReplacer("{order}", a.ProductionOrderID.String(), "{attempt}", a.ID.String()).Replace(template)
	query := url.Values{quantityParameter: {strconv.Itoa(a.Quantity)}, signatureParameter: {s.sign(a)}}
	if a.Correlation != "" {
		query.Set(correlationParameter, a.Correlation)
	}
	return CallbackURL(strings.TrimSuffix(baseURL, "/") + path + "?" + query.Encode())
}

// CheckSigned refuses a callback that does not even claim to be ours, which takes no key. The error has CodeInvalidSignature.
func CheckSigned(query url.Values) error {
	if query.Get(signatureParameter) == "" {
		return &shop.Error{Code: shop.CodeInvalidSignature, Detail: "the callback is not signed"}
	}
	return nil
}

// Verify checks that a callback's URL is one of ours, in a time that does not tell how wrong it is, and returns the attempt
// that it is for. The error has CodeInvalidSignature.
func (s Signer) Verify(order, attempt uuid.UUID, query url.Values) (Attempt, error) {
	if err := CheckSigned(query); err != nil {
		return Attempt{}, err
	}
	given := query.Get(signatureParameter)
	quantity, err := strconv.Atoi(query.Get(quantityParameter))
	a := Attempt{ProductionOrderID: order, ID: attempt, Quantity: quantity, Correlation: query.Get(correlationParameter)}
	if err != nil || !hmac.Equal([]byte(given), []byte(s.sign(a))) {
		return Attempt{}, &shop.Error{Code: shop.CodeInvalidSignature, Detail: "the callback's signature is not ours"}
	}
	return a, nil
}
