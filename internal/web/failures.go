package web

import (
	"net/http"

	"restock/internal/shop"
)

// statuses are the HTTP statuses of the error codes. The codes' messages are in the languages'
// files.
var statuses = map[shop.Code]int{
	shop.CodeInvalidRequest:        http.StatusBadRequest,
	shop.CodeInvalidQuantity:       http.StatusBadRequest,
	shop.CodeInvalidIdempotencyKey: http.StatusBadRequest,
	shop.CodeIdempotencyKeyReused:  http.StatusUnprocessableEntity,
	shop.CodeInvalidProduct:        http.StatusBadRequest,
	shop.CodeUnknownProduct:        http.StatusNotFound,
	shop.CodeProductExists:         http.StatusConflict,
	shop.CodeProductInUse:          http.StatusConflict,
	shop.CodeProductArchived:       http.StatusConflict,
	shop.CodeUnknownFactory:        http.StatusUnprocessableEntity,
	shop.CodeInvalidReason:         http.StatusBadRequest,
	shop.CodeOutOfStock:            http.StatusConflict,
	shop.CodeInStock:               http.StatusConflict,
	shop.CodeWaitlistFull:          http.StatusConflict,
	shop.CodeUnknownWaitlistEntry:  http.StatusNotFound,
	shop.CodeUnknownSale:           http.StatusNotFound,
	shop.CodeUnknownAdjustment:     http.StatusNotFound,
	shop.CodeUnknownOrder:          http.StatusNotFound,
	shop.CodeOrderOpen:             http.StatusConflict,
	shop.CodeOrderNotOpen:          http.StatusConflict,
	shop.CodeProductMismatch:       http.StatusUnprocessableEntity,
	shop.CodeInvalidSignature:      http.StatusForbidden,
	shop.CodeUnavailable:           http.StatusServiceUnavailable,
	shop.CodeOutcomeUnknown:        http.StatusServiceUnavailable,
	shop.CodeInternal:              http.StatusInternalServerError,
}
