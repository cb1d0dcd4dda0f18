package web

import (
	"fmt"
	"net/http"
	"strings"

	"restock/internal/shop"
)

// IdempotencyHeader is the header with a request's idempotency key. The shop executes requests with
// the same key once.
const IdempotencyHeader = "Idempotency-Key"

// IdempotencyKey reads the key of a request. It is empty if the client sent none. The error has
// CodeInvalidIdempotencyKey.
//
// A blank key is an error, because its sender believes that a retry is safe. So is a key with a
// comma: API Gateway joins repeated headers with commas, so "Z1,Z1" may be two headers that a proxy
// made of one. The retry may arrive as "Z1", and the shop would sell a second time.
func IdempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values(IdempotencyHeader)
	if len(values) == 0 {
		return "", nil
	}
	joined := strings.Join(values, ",")
	key := strings.Trim(joined, " \t")
	switch {
	case key == "":
		return "", invalidKey("the header is blank")
	case strings.Contains(key, ","):
		return "", invalidKey(fmt.Sprintf("%.80q is more than one key, or holds a comma", joined))
	}
	return key, nil
}

func invalidKey(why string) error {
	const advice = "send the header once, with a new UUID for each request that is not a retry, or leave it out"
	return &shop.Error{Code: shop.CodeInvalidIdempotencyKey, Detail: IdempotencyHeader + ": " + why + ": " + advice}
}
