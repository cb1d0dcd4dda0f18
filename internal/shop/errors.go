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

// refuse is an error with a code and its detail.
func refuse(code Code, detail string) error { return &Error{Code: code, Detail: detail} }
