package sns

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"restock/local/view/events"
)

// warnOfLoss logs what SNS does not tell anybody: a message that no subscription takes, and filters
// that reject it because they ask for something else than what is published.
func (t *Topic) warnOfLoss(ctx context.Context, n Notification, messageID string, all, accepting []Subscription) {
	for _, sub := range all {
		t.service.warnOfFilter(ctx, sub, n)
	}
	if len(accepting) > 0 || t.settings().OtherSubscribers {
		return
	}
	level, text, filters := slog.LevelWarn, "no subscription of the topic takes the message: it is lost", []string{}
	for _, sub := range all {
		filters = append(filters, sub.FilterPolicy)
	}
	if len(all) == 0 { // may be intended, as for alarms without an address: one line is enough
		level, text = slog.LevelInfo, "the topic has no subscription: its messages reach nobody"
		if _, told := t.service.toldFilters.LoadOrStore(t.arn, true); told {
			level = slog.LevelDebug
		}
	}
	t.service.log.Log(ctx, level, text, events.MessageUnclaimed.Attr(), "topic", t.arn, "message", messageID,
		"subject", n.Subject, "filters", strings.Join(filters, " "), "declared_in", t.service.declaredIn(t.arn, ""))
}

// warnOfFilter logs a filter that the message cannot satisfy, whatever its values. It logs each key
// of a subscription's filter once.
func (s *Service) warnOfFilter(ctx context.Context, sub Subscription, n Notification) {
	key, published := sub.mismatch(n)
	if key == nil {
		return
	}
	if _, told := s.toldFilters.LoadOrStore(sub.ARN+" "+sub.FilterPolicy+" "+key.name, true); told {
		return
	}
	s.log.WarnContext(ctx, "the filter of a subscription can never take messages like this one",
		events.FilterMismatched.Attr(), "topic", sub.TopicARN, "queue", sub.endpoint(),
		"scope", string(cmp.Or(sub.FilterPolicyScope, MessageAttributes)), "attribute", key.name,
		"published", published, "filter_wants", jsonText(key.rules),
		"declared_in", s.declaredIn(sub.TopicARN, sub.endpoint()))
}

// mismatch returns a key of the filter that rejects the message because of the kind of its values:
// it lacks the key, or it has a number where the filter asks for a text. It also describes what the
// message has. It returns nil if other values might satisfy the filter.
func (sub Subscription) mismatch(n Notification) (key *filterKey, published string) {
	for _, keys := range sub.filter {
		k, has := sub.mismatchOf(keys, n)
		if k == nil {
			return nil, ""
		}
		if key == nil {
			key, published = k, has
		}
	}
	return key, published
}

func (sub Subscription) mismatchOf(keys filterKeys, n Notification) (key *filterKey, published string) {
	body := map[string]any{}
	_ = json.Unmarshal([]byte(n.Message), &body) // only for the scope MessageBody; others stay empty
	inBody := sub.FilterPolicyScope == MessageBody
	message := attributeLeaves(n.Attributes)
	if inBody {
		message = bodyLeaves(body)
	}
	for _, k := range slices.SortedFunc(slices.Values(keys), func(a, b filterKey) int {
		return strings.Compare(a.name, b.name)
	}) {
		var values []any
		for _, leaf := range message[k.name] {
			values = append(values, leaf.value)
		}
		if k.mayTake(values) {
			continue
		}
		attribute, has := n.Attributes[k.name]
		switch {
		case !inBody && has:
			return &k, fmt.Sprintf("%s %q", attribute.DataType, attribute.StringValue)
		case len(values) > 0:
			return &k, jsonText(values)
		case inBody:
			return &k, "nothing: the body has " + names(body)
		default:
			return &k, "nothing: the message has " + names(n.Attributes)
		}
	}
	return nil, ""
}

// jsonText returns a value that comes from JSON as JSON.
func jsonText(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // people read operators such as >=
	_ = encoder.Encode(value)
	return strings.TrimSpace(text.String())
}

func names[V any](of map[string]V) string {
	return cmp.Or(strings.Join(slices.Sorted(maps.Keys(of)), ", "), "none")
}

// mayTake reports whether a condition of the key holds for values of these kinds.
func (k filterKey) mayTake(values []any) bool {
	return slices.ContainsFunc(k.rules, func(rule any) bool {
		operators, isObject := rule.(map[string]any)
		if _, exists := operators["exists"]; exists {
			return true // a message with the key, and one without it, may both be intended
		}
		return slices.ContainsFunc(values, func(value any) bool {
			_, isText := value.(string)
			_, isNumber := value.(float64)
			switch {
			case !isObject:
				return fmt.Sprintf("%T", rule) == fmt.Sprintf("%T", value)
			case operators["numeric"] != nil:
				return isNumber
			default:
				return isText || operators["anything-but"] != nil
			}
		})
	})
}

// declaredIn returns the place that declares a topic, or its subscription of a queue.
func (s *Service) declaredIn(topicARN, queueARN string) string {
	if s.config.DeclaredIn == nil {
		return ""
	}
	return s.config.DeclaredIn(topicARN, queueARN)
}
