// Package factory is the Factory API: what is asked of it, its client, and the callback by which it tells what it made.
package factory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"restock/internal/message"
	"restock/internal/shop"
)

// messageGroupID is what the factory expects, and does nothing with.
const messageGroupID = "stock-arrival-group"

// A Request is what the factory takes, and what it sends back, verbatim, when it is done. Every value is a string.
type Request struct {
	MessageGroupID string      `json:"MessageGroupId"`
	ProductID      string      `json:"MessageAttributeProductId"`
	ProductCnt     string      `json:"MessageAttributeProductCnt"`
	FactoryID      string      `json:"MessageAttributeFactoryId"`
	Requester      string      `json:"MessageAttributeRequester"`
	CallbackURL    CallbackURL `json:"CallbackUrl"`
}

// NewRequest asks for what a stock_empty message says. The factory will call callbackURL.
func NewRequest(m message.StockEmpty, callbackURL CallbackURL) Request {
	return Request{
		MessageGroupID: messageGroupID,
		ProductID:      m.SKU,
		ProductCnt:     strconv.Itoa(m.Quantity),
		FactoryID:      m.FactoryID,
		Requester:      m.Requester,
		CallbackURL:    callbackURL,
	}
}

// ParseCallback reads what was made from the body of a callback. The quantity may be a string or a number: "100" or 100.
// Fields beyond those that say what was made are of no concern.
func ParseCallback(body []byte) (sku string, quantity int, err error) {
	var callback struct {
		ProductID  string          `json:"MessageAttributeProductId"`
		ProductCnt json.RawMessage `json:"MessageAttributeProductCnt"`
	}
	if err := json.Unmarshal(body, &callback); err != nil {
		return "", 0, &shop.Error{Code: shop.CodeInvalidRequest, Detail: "the callback's body is not the JSON of a request", Err: err}
	}
	if callback.ProductID == "" {
		return "", 0, &shop.Error{Code: shop.CodeInvalidRequest, Detail: "the callback names no " + message.AttributeProductID}
	}
	count := string(bytes.Trim(callback.ProductCnt, `"`))
	quantity, err = strconv.Atoi(count)
	if err != nil || quantity < 1 || quantity > shop.MaxQuantity {
		return "", 0, &shop.Error{Code: shop.CodeInvalidQuantity, Detail: fmt.Sprintf("%s is %.40q, not a whole number from 1 to %d", message.AttributeProductCnt, count, shop.MaxQuantity)}
	}
	return callback.ProductID, quantity, nil
}
