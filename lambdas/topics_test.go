package lambdas_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"restock/internal/shop"
	shopsns "restock/internal/sns"
	"restock/lambdas"
)

// A recorder records the attributes of the published messages.
type recorder struct{ published []map[string]string }

func (r *recorder) Publish(
	_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options),
) (*sns.PublishOutput, error) {
	attributes := map[string]string{}
	for name, a := range in.MessageAttributes {
		attributes[name] = *a.StringValue
	}
	r.published = append(r.published, attributes)
	return &sns.PublishOutput{}, nil
}

// noticeKinds returns the kinds of notices that package shop declares.
func noticeKinds(t *testing.T) (kinds []shop.NoticeKind) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/shop/notice.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		kind, ok := spec.Type.(*ast.Ident)
		value, isText := spec.Values[0].(*ast.BasicLit)
		if text := ""; ok && isText && kind.Name == "NoticeKind" {
			if text, err = strconv.Unquote(value.Value); err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, shop.NoticeKind(text))
		}
		return true
	})
	return kinds
}

// TestTopicsDeclareWhatIsPublished publishes each kind of message, and compares its attributes with
// the declarations of the topics.
func TestTopicsDeclareWhatIsPublished(t *testing.T) {
	orders, people := &recorder{}, &recorder{}
	order := shop.ProductionOrder{SKU: "CP-502101", Quantity: 100, Factory: "FF-500293"}
	publish := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	publish(shopsns.Publisher{Client: orders}.Publish(t.Context(), order))
	kinds := noticeKinds(t)
	for _, kind := range kinds {
		notice := shop.Notice{Kind: kind, Order: order}
		publish(shopsns.Notifier{Client: people}.Notify(t.Context(), notice))
	}
	publish(shopsns.ManagerTopic{Client: people}.Notify(t.Context(), "a@example.com", "subject", "text"))
	values := 0
	for _, topic := range lambdas.Topics() {
		sent := map[string]*recorder{lambdas.StockEmptyTopic: orders, lambdas.OperationsTopic: people}[topic.Name]
		for _, attributes := range sent.published {
			if !slices.ContainsFunc(topic.Messages, func(declared lambdas.Attributes) bool {
				return describes(declared, attributes)
			}) {
				t.Errorf("topic %s gets a message with the attributes %v, and lambdas/topics.go does not say so: "+
					"add them there", topic.Name, attributes)
			}
		}
		for _, declared := range topic.Messages {
			values += len(declared["kind"])
			if !slices.ContainsFunc(sent.published, func(attributes map[string]string) bool {
				return describes(declared, attributes)
			}) {
				t.Errorf("lambdas/topics.go declares messages of topic %s with %v, and nobody sends them", topic.Name,
					strings.Join(slices.Sorted(maps.Keys(declared)), ", "))
			}
		}
	}
	if values != len(kinds) {
		t.Errorf("lambdas/topics.go has %d kinds of notices, and internal/shop/notice.go has %d: %v", values,
			len(kinds), kinds)
	}
}

// describes reports whether attributes are those of the declaration.
func describes(declared lambdas.Attributes, attributes map[string]string) bool {
	for name, value := range attributes {
		if values, ok := declared[name]; !ok || values != nil && !slices.Contains(values, value) {
			return false
		}
	}
	return len(declared) == len(attributes)
}
