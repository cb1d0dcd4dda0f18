package shop

import "errors"

// A Code names an error for programs. Codes never change.
type Code string

const (
	CodeInvalidRequest        Code = "invalid_request"
	CodeInvalidQuantity       Code = "invalid_quantity"
	CodeInvalidIdempotencyKey Code = "invalid_idempotency_key"
	CodeIdempotencyKeyReused  Code = "idempotency_key_reused"
	CodeUnknownProduct        Code = "unknown_product"
	CodeOutOfStock            Code = "out_of_stock"
	CodeUnknownOrder          Code = "unknown_production_order"
	CodeProductMismatch       Code = "product_mismatch"
	CodeInvalidSignature      Code = "invalid_signature"
	CodeUnavailable           Code = "unavailable"
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
