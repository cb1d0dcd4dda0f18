// Package message is the stock_empty message: what is published when a product needs to be made, and the envelopes
// that it travels in.
package message

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Subject is the subject of every stock_empty message.
const Subject = "도너츠 재고 부족"

// Requester is who asks the factory.
const Requester = "stock-bot"

// The message's attributes, all strings. Other subscribers of the topic read them.
const (
	AttributeProductID  = "MessageAttributeProductId"
	AttributeProductCnt = "MessageAttributeProductCnt"
	AttributeFactoryID  = "MessageAttributeFactoryId"
	AttributeRequester  = "MessageAttributeRequester"
)

// A StockEmpty message asks for a production order to be made.
type StockEmpty struct {
	ProductionOrderID uuid.UUID
	SKU               string
	Quantity          int
	FactoryID         string
	Requester         string
	Correlation       string // the id of the buyer's request that is its cause; may be empty
}

// New is the message of a production order.
func New(o shop.ProductionOrder) StockEmpty {
	return StockEmpty{ProductionOrderID: o.ID, SKU: o.SKU, Quantity: o.Quantity, FactoryID: o.Factory, Requester: Requester, Correlation: o.Correlation}
}

// body is the text of the message: what the attributes do not say.
type body struct {
	ProductionOrderID uuid.UUID `json:"production_order_id"`
	Correlation       string    `json:"correlation_id,omitempty"`
}

// Body is the message's text.
func (m StockEmpty) Body() (string, error) {
	text, err := json.Marshal(body{m.ProductionOrderID, m.Correlation})
	return string(text), err
}

// Attributes are the message's attributes.
func (m StockEmpty) Attributes() map[string]string {
	return map[string]string{
		AttributeProductID:  m.SKU,
		AttributeProductCnt: strconv.Itoa(m.Quantity),
		AttributeFactoryID:  m.FactoryID,
		AttributeRequester:  m.Requester,
	}
}

// envelope is what SNS puts around a message that it delivers without raw delivery:
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html#http-notification-json
type envelope struct {
	Type              string
	Message           string
	MessageAttributes map[string]struct{ Type, Value string }
}

// Parse reads a message from the body of an SQS record: a JSON string that holds the envelope of SNS.
// It fails if anything is missing, and says what.
func Parse(record string) (StockEmpty, error) {
	var e envelope
	if err := json.Unmarshal([]byte(record), &e); err != nil {
		return StockEmpty{}, fmt.Errorf("reading the SNS envelope: %w", err)
	}
	if e.Type != "Notification" {
		return StockEmpty{}, fmt.Errorf("reading the SNS envelope: its Type is %q, not Notification: is raw message delivery on?", e.Type)
	}
	var missing []string
	attribute := func(name string) string {
		a := e.MessageAttributes[name]
		if a.Type != "String" || a.Value == "" {
			missing = append(missing, name)
		}
		return a.Value
	}
	m := StockEmpty{
		SKU:       attribute(AttributeProductID),
		FactoryID: attribute(AttributeFactoryID),
		Requester: attribute(AttributeRequester),
	}
	count := attribute(AttributeProductCnt)
	if len(missing) > 0 {
		return StockEmpty{}, fmt.Errorf("reading stock_empty: no String attribute %s", strings.Join(missing, ", "))
	}
	var err error
	if m.Quantity, err = strconv.Atoi(count); err != nil || m.Quantity < 1 || m.Quantity > shop.MaxQuantity {
		return StockEmpty{}, fmt.Errorf("reading stock_empty: %s is %q, not a whole number from 1 to %d", AttributeProductCnt, count, shop.MaxQuantity)
	}
	var b body
	if err := json.Unmarshal([]byte(e.Message), &b); err != nil {
		return StockEmpty{}, fmt.Errorf("reading stock_empty: Message: %w", err)
	}
	if b.ProductionOrderID == uuid.Nil {
		return StockEmpty{}, fmt.Errorf("reading stock_empty: Message names no production_order_id")
	}
	m.ProductionOrderID, m.Correlation = b.ProductionOrderID, b.Correlation
	return m, nil
}
