package lambdas

// A Topic is a topic whose messages a queue may get.
type Topic struct {
	Name string
	// Messages are the kinds of its messages that have attributes.
	Messages []Attributes
}

// Attributes are the attributes of a kind of message. All are strings. An attribute has one of the
// listed values; without a list it may have any.
type Attributes map[string][]string

// A Filter selects messages by their attributes: a message needs each attribute of the filter, with
// one of the values. A value may also be an operator, such as map[string]any{"prefix": "order_"}.
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
type Filter map[string][]any

// Topics returns all topics. The rules refuse a filter that takes none of a topic's messages.
func Topics() []Topic {
	return []Topic{
		{StockEmptyTopic, []Attributes{
			{
				"MessageAttributeProductId": nil, "MessageAttributeProductCnt": nil, "MessageAttributeFactoryId": nil,
				"MessageAttributeRequester": {"stock-bot"},
			},
		}},
		// Alarms have no attributes.
		{OperationsTopic, []Attributes{
			{ // notices of sweep
				"kind": {
					"order_overdue", "order_failed", "order_short", "surplus", "late_receipt", "receipt_corrected",
				},
				"product": nil,
			},
			{"manager": nil}, // messages of ads to the managers of advertisements
		}},
	}
}
