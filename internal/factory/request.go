// Package factory is the client of the Factory API. It also signs callback URLs, and reads
// callbacks.
package factory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"restock/internal/message"
	"restock/internal/shop"
)

// messageGroupID is a value that the factory expects and ignores.
const messageGroupID = "stock-arrival-group"

// A Request is the body of a request to the factory. The factory sends it back verbatim in its
// callback. All values are strings.
type Request struct {
	MessageGroupID string      `json:"MessageGroupId"`
	ProductID      string      `json:"MessageAttributeProductId"`
	ProductCnt     string      `json:"MessageAttributeProductCnt"`
	FactoryID      string      `json:"MessageAttributeFactoryId"`
	Requester      string      `json:"MessageAttributeRequester"`
	CallbackURL    CallbackURL `json:"CallbackUrl"`
}

// NewRequest returns the request for a stock_empty message. The factory will call callbackURL.
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

// ParseCallback reads from the body of a callback which product was made and how many. The quantity
// may be a string or a number: "100" or 100. Other fields are ignored.
func ParseCallback(body []byte) (sku string, quantity int, err error) {
	var callback struct {
		ProductID  string          `json:"MessageAttributeProductId"`
		ProductCnt json.RawMessage `json:"MessageAttributeProductCnt"`
	}
	if err := json.Unmarshal(body, &callback); err != nil {
		return "", 0, &shop.Error{
			Code:   shop.CodeInvalidRequest,
			Detail: "the callback's body is not the JSON of a request to the factory", Err: err,
		}
	}
	if callback.ProductID == "" {
		return "", 0, &shop.Error{
			Code:   shop.CodeInvalidRequest,
			Detail: "the callback has no " + message.AttributeProductID,
		}
	}
	count := string(bytes.Trim(callback.ProductCnt, `"`))
	quantity, err = strconv.Atoi(count)
	if err != nil || quantity < 1 || quantity > shop.MaxQuantity {
		return "", 0, &shop.Error{
			Code: shop.CodeInvalidQuantity,
			Detail: fmt.Sprintf("%s is %.20q, not an integer from 1 to %d",
				message.AttributeProductCnt, count, shop.MaxQuantity),
		}
	}
	return callback.ProductID, quantity, nil
}
