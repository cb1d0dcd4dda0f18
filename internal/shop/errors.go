package shop

import "errors"

// A Code names an error for programs. Codes never change.
type Code string

const (
	CodeInvalidRequest        Code = "invalid_request"
	CodeInvalidQuantity       Code = "invalid_quantity"
	CodeInvalidIdempotencyKey Code = "invalid_idempotency_key"
	CodeIdempotencyKeyReused  Code = "idempotency_key_reused"
	CodeInvalidProduct        Code = "invalid_product"
	CodeUnknownProduct        Code = "unknown_product"
	CodeProductExists         Code = "product_exists"
	CodeUnknownFactory        Code = "unknown_factory"
	CodeInvalidReason         Code = "invalid_reason"
	CodeOutOfStock            Code = "out_of_stock"
	CodeUnknownOrder          Code = "unknown_production_order"
	CodeOrderOpen             Code = "production_order_open"     // the product has one, and may have one only
	CodeOrderNotOpen          Code = "production_order_not_open" // it is closed already
	CodeProductMismatch       Code = "product_mismatch"
	CodeInvalidSignature      Code = "invalid_signature"
	CodeUnavailable           Code = "unavailable"     // nothing was done
	CodeOutcomeUnknown        Code = "outcome_unknown" // it may be done, or not
	CodeInternal              Code = "internal"
)

// An Error is one that the business has a name for. Detail is for the caller: it holds nothing secret.
type Error struct {
	Code   Code
	Detail string
	Err    error // the cause, for the operator alone
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Detail + ": " + e.Err.Error()
	}
	return e.Detail
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf is the code of an error, CodeInternal if the business has no name for it.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// refuse is an error with a code and its detail.
func refuse(code Code, detail string) error { return &Error{Code: code, Detail: detail} }

// advised adds to an error with CodeOutcomeUnknown what the caller can do about it. What may be done is for
// people: "the purchase was made".
func advised(err error, mayBe, idempotencyKey string) error {
	if err == nil || CodeOf(err) != CodeOutcomeUnknown {
		return err
	}
	detail := mayBe + ", or not: repeat the request with the same Idempotency-Key, and it is done once"
	if idempotencyKey == "" {
		detail = mayBe + ", or not: the request had no Idempotency-Key, so a repeated one may do it twice"
	}
	return &Error{Code: CodeOutcomeUnknown, Detail: detail, Err: err}
}

// done is the error of a read after a write that is stored. The read's own code would say that nothing was
// done.
func done(what string, err error) error {
	return &Error{Code: CodeOutcomeUnknown, Detail: what + ", and could not be read afterwards", Err: err}
}
