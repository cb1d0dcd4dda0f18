package web

import (
	"fmt"
	"net/http"

	"golang.org/x/text/language"

	"restock/internal/shop"
)

// A Phrase is a text in each language of the shop.
type Phrase struct{ Korean, English string }

// In formats the phrase in a language.
func (p Phrase) In(l language.Tag, args ...any) string {
	if l == language.English {
		return fmt.Sprintf(p.English, args...)
	}
	return fmt.Sprintf(p.Korean, args...)
}

// The messages of success. Their argument is the stock.
var (
	Bought   = Phrase{"구매 완료! 남은 재고: %d", "Bought! Stock left: %d"}
	Received = Phrase{"입고 완료! 남은 재고: %d", "Goods received! Stock now: %d"}
)

// outOfStock is the message of a refused purchase. Its argument is the stock.
var outOfStock = Phrase{"구매 실패! 남은 재고: %d", "Not bought! Stock left: %d"}

// A failure is the HTTP status and the message of an error code.
type failure struct {
	status int
	phrase Phrase
}

var failures = map[shop.Code]failure{
	shop.CodeInvalidRequest:  {http.StatusBadRequest, Phrase{"요청을 읽을 수 없음", "The request cannot be read"}},
	shop.CodeInvalidQuantity: {http.StatusBadRequest, Phrase{"수량이 올바르지 않음", "The quantity is not valid"}},
	shop.CodeInvalidIdempotencyKey: {http.StatusBadRequest,
		Phrase{"Idempotency-Key가 올바르지 않음", "The Idempotency-Key is not valid"}},
	shop.CodeIdempotencyKeyReused: {http.StatusUnprocessableEntity,
		Phrase{"Idempotency-Key가 다른 요청에 사용됨", "The Idempotency-Key belongs to another request"}},
	shop.CodeInvalidProduct: {http.StatusBadRequest, Phrase{"상품 정보가 올바르지 않음", "The product is not valid"}},
	shop.CodeUnknownProduct: {http.StatusNotFound, Phrase{"상품 없음", "No such product"}},
	shop.CodeProductExists:  {http.StatusConflict, Phrase{"이미 있는 상품", "There is such a product already"}},
	shop.CodeUnknownFactory: {http.StatusUnprocessableEntity, Phrase{"공장 없음", "No such factory"}},
	shop.CodeInvalidReason:  {http.StatusBadRequest, Phrase{"사유가 올바르지 않음", "The reason is not valid"}},
	shop.CodeOutOfStock:     {http.StatusConflict, Phrase{"재고 부족", "Out of stock"}},
	shop.CodeUnknownOrder:   {http.StatusNotFound, Phrase{"생산 주문 없음", "No such production order"}},
	shop.CodeOrderOpen: {http.StatusConflict,
		Phrase{"이미 진행 중인 생산 주문이 있음", "A production order is open already"}},
	shop.CodeOrderNotOpen: {http.StatusConflict,
		Phrase{"진행 중인 생산 주문이 아님", "The production order is not open"}},
	shop.CodeProductMismatch: {http.StatusUnprocessableEntity,
		Phrase{"생산 주문의 상품이 아님", "Not the product of the production order"}},
	shop.CodeInvalidSignature: {http.StatusForbidden, Phrase{"서명이 올바르지 않음", "The signature is not valid"}},
	shop.CodeUnavailable: {http.StatusServiceUnavailable,
		Phrase{"데이터베이스 연결 오류", "The database cannot be reached"}},
	shop.CodeOutcomeUnknown: {http.StatusServiceUnavailable, Phrase{
		"처리 결과를 알 수 없음: 이미 처리되었을 수 있음. Idempotency-Key를 보냈다면 같은 키로 다시 요청하세요",
		"The outcome is unknown: it may have been done. If you sent an Idempotency-Key, repeat the request with it"}},
	shop.CodeInternal: {http.StatusInternalServerError, Phrase{"내부 오류", "Internal error"}},
}

// languages begins with Korean, the default.
var languages = language.NewMatcher([]language.Tag{language.Korean, language.English})

// Language returns the language of the shop that a request prefers.
func Language(r *http.Request) language.Tag {
	_, index := language.MatchStrings(languages, r.Header.Get("Accept-Language"))
	return []language.Tag{language.Korean, language.English}[index]
}
