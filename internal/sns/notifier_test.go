package sns_test

import (
	"errors"
	"strings"
	"testing"

	"restock/internal/shop"
	"restock/internal/sns"
)

func TestANoticeSaysWhatHappenedAndWhatToDo(t *testing.T) {
	c := &client{}
	notice := shop.Notice{Kind: shop.NoticeOrderFailed, Order: order, Subject: "CP-502101: production order failed",
		Text: "Nothing came.", Advice: "Ask the factory."}
	if err := (sns.Notifier{Client: c, TopicARN: "arn:people"}).Notify(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	in := c.published[0]
	if *in.TopicArn != "arn:people" || *in.Subject != notice.Subject ||
		*in.Message != "Nothing came.\n\nWhat to do: Ask the factory.\n" {
		t.Errorf("published %q, %q to %s", *in.Subject, *in.Message, *in.TopicArn)
	}
	for name, want := range map[string]string{"kind": "order_failed", "product": "CP-502101"} {
		if a := in.MessageAttributes[name]; a.StringValue == nil || *a.DataType != "String" || *a.StringValue != want {
			t.Errorf("attribute %s is %+v, want the String %q", name, a, want)
		}
	}
}

func TestASubjectIsNeverTooLongForSNS(t *testing.T) {
	c := &client{}
	notice := shop.Notice{Subject: strings.Repeat("x", 150)}
	if err := (sns.Notifier{Client: c}).Notify(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	if got := len([]rune(*c.published[0].Subject)); got >= 100 {
		t.Errorf("the subject has %d characters, SNS takes fewer than 100", got)
	}
}

func TestANoticeThatIsNotSentNamesTheTopic(t *testing.T) {
	notifier := sns.Notifier{Client: &client{err: errors.New("AuthorizationError")}, TopicARN: "arn:people"}
	err := notifier.Notify(t.Context(), shop.Notice{})
	if err == nil || !strings.Contains(err.Error(), "arn:people: AuthorizationError") {
		t.Errorf("got %v, want an error with the topic and the cause", err)
	}
}
