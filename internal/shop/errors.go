package shop

import "errors"

// A Code identifies a kind of error for programs. Clients depend on the codes: they never change.
type Code string

// The codes of errors.
const (
	CodeInvalidRequest        Code = "invalid_request"
	CodeInvalidQuantity       Code = "invalid_quantity"
	CodeInvalidIdempotencyKey Code = "invalid_idempotency_key"
	CodeIdempotencyKeyReused  Code = "idempotency_key_reused"
	CodeInvalidProduct        Code = "invalid_product"
	CodeUnknownProduct        Code = "unknown_product"
	CodeProductExists         Code = "product_exists"
	CodeProductInUse          Code = "product_in_use"   // it has stock or an open order: it cannot be archived
	CodeProductArchived       Code = "product_archived" // it can be neither changed nor ordered
	CodeUnknownFactory        Code = "unknown_factory"
	CodeInvalidReason         Code = "invalid_reason"
	CodeOutOfStock            Code = "out_of_stock"
	CodeInStock               Code = "in_stock"      // nobody needs to wait for the product
	CodeWaitlistFull          Code = "waitlist_full" // MaxWaiting buyers wait for the product
	CodeUnknownWaitlistEntry  Code = "unknown_waitlist_entry"
	CodeUnknownSale           Code = "unknown_sale"
	CodeUnknownAdjustment     Code = "unknown_adjustment"
	CodeUnknownOrder          Code = "unknown_production_order"
	CodeOrderOpen             Code = "production_order_open"     // a product has at most one open order
	CodeOrderNotOpen          Code = "production_order_not_open" // it is closed already
	CodeProductMismatch       Code = "product_mismatch"
	CodeInvalidSignature      Code = "invalid_signature"
	CodeUnavailable           Code = "unavailable"     // nothing was changed
	CodeOutcomeUnknown        Code = "outcome_unknown" // the change may have been made, or not
	CodeInternal              Code = "internal"
)

// An Error is an error that the business has a code for. Detail and Commands are for the caller,
// and hold no secret.
type Error struct {
	Code   Code
	Detail string // it makes sense without Commands
	// Commands are lines of the merchant's command line that help, in their order. They begin with
	// the word shop, and lack the flags that name a shop.
	Commands []string
	Err      error // the cause, for the log; the caller does not see it
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Detail + ": " + e.Err.Error()
	}
	return e.Detail
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of an error, CodeInternal if it has none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// refuse returns an error with a code and a detail.
func refuse(code Code, detail string) error { return &Error{Code: code, Detail: detail} }

// advised adds advice for the caller to an error with CodeOutcomeUnknown. The text mayBe says what
// may have happened: "the purchase may have been made".
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

// done returns the error of a read that follows a stored write. The code of the read itself would
// say that nothing was changed.
func done(what string, err error) error {
	return &Error{Code: CodeOutcomeUnknown, Detail: what + ", and could not be read afterwards", Err: err}
}
