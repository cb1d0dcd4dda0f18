package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"restock/internal/factory/legacy"
	"restock/lambdas"
)

// order is a request of the shop's contract with the factory, with an unknown field, characters
// that encoding/json would escape, and odd white space.
const order = `{"MessageGroupId":"stock-arrival-group",  "MessageAttributeProductId":"CP-502101",
 "MessageAttributeProductCnt":"100","MessageAttributeFactoryId":"FF-500293",
 "MessageAttributeRequester":"stock-bot","extra":[1,2.50],
 "CallbackUrl":"https://shop.test/production-orders/o/attempts/a/receipt?quantity=100&signature=secret"}`

// A world is what the simulated factory calls: its queue, and the shop's API.
type world struct {
	mu     sync.Mutex
	sent   []*sqs.SendMessageInput
	calls  []string // method, URL, content type and body
	status int      // of the API's answers; 0: 202
	err    error    // of the queue and of the API
	log    strings.Builder
}

func (w *world) SendMessage(
	_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options),
) (*sqs.SendMessageOutput, error) {
	w.sent = append(w.sent, in)
	return &sqs.SendMessageOutput{}, w.err
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, r.Method+" "+r.URL.String()+" "+r.Header.Get("Content-Type")+" "+string(body))
	return &http.Response{StatusCode: max(w.status, 202), Body: http.NoBody, Request: r}, errors.Join(err, w.err)
}

func (w *world) factory() simulation {
	return simulation{
		queue: w, queueURL: "https://sqs.test/1/factory_queue",
		caller: legacy.NewCaller(http.Client{Transport: w}), shop: "https://shop.test",
		newID: uuid.NewUUID, log: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
}

// post sends a request to the function, as the HTTP API does.
func post(t *testing.T, s simulation, body string) (status int, answer string) {
	t.Helper()
	event := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: legacy.Path, Body: body}
	event.RequestContext.HTTP.Method = http.MethodPost
	got, err := s.handle(t.Context(), encode(t, event))
	if err != nil {
		t.Fatal(err)
	}
	response := got.(events.APIGatewayV2HTTPResponse)
	if response.StatusCode == 201 && response.Headers["Content-Type"] != "application/json" {
		t.Errorf("the answer has the headers %v, want application/json", response.Headers)
	}
	return response.StatusCode, response.Body
}

// deliver gives the function messages of its queue, which it got a number of times. It checks that
// no message comes again.
func deliver(t *testing.T, s simulation, receives string, bodies ...string) {
	t.Helper()
	var event events.SQSEvent
	for _, body := range bodies {
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: "m", Body: body, Attributes: map[string]string{"ApproximateReceiveCount": receives},
		})
	}
	got, err := s.handle(t.Context(), encode(t, event))
	if err != nil || len(got.(events.SQSEventResponse).BatchItemFailures) > 0 {
		t.Errorf("got %v, %v; want no failure: SQS would deliver the message again", got, err)
	}
}

func encode(t *testing.T, event any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Everybody can reach the simulated factory. A lot whose callback orders a lot would never end.
func TestALotOrdersNoLot(t *testing.T) {
	for _, callback := range []string{
		legacy.Path, "/api/%6danufactures", "/production-orders/../api/manufactures", "/checkout", "",
		"/production-orders/o/attempts/a/receipt/../../../../../api/manufactures",
	} {
		w := &world{}
		body := `{"CallbackUrl":"https://shop.test` + callback + `?x"}`
		if status, _ := post(t, w.factory(), body); status != 201 || len(w.sent) > 0 {
			t.Errorf("a callback to %s: got %d and %d lots, want 201 and none", callback, status, len(w.sent))
		}
	}
}

func TestOrderIsAnsweredAtOnceAndCalledBackOnceFortySecondsLater(t *testing.T) {
	w := &world{}
	s := w.factory()
	status, answer := post(t, s, order)
	var created struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(answer), &created); err != nil {
		t.Fatal(err)
	}
	id := created.Data.ID
	if parsed, err := uuid.Parse(id); err != nil || parsed.Version() != 1 {
		t.Errorf("the lot's id is %q, want a UUIDv1", id)
	}
	want := `{"data":{"data":` + order + `,"id":"` + id + `","reqestor":"stock-bot"}}`
	if status != 201 || answer != want {
		t.Errorf("got %d\n%s, want 201\n%s", status, answer, want)
	}
	if len(w.sent) != 1 || *w.sent[0].QueueUrl != s.queueURL || w.sent[0].DelaySeconds != 40 {
		t.Fatalf("it sent %+v, want one message to its queue that SQS delays by 40 s", w.sent)
	}
	if len(w.calls) != 0 {
		t.Errorf("the shop got %q before the lot was done", w.calls)
	}

	deliver(t, s, "1", *w.sent[0].MessageBody)
	const callback = "POST https://shop.test/production-orders/o/attempts/a/receipt?quantity=100&signature=secret " +
		"application/json "
	if len(w.calls) != 1 || w.calls[0] != callback+order {
		t.Errorf("the shop got %q, want one callback: %q", w.calls, callback+order)
	}
	if strings.Contains(w.log.String(), "secret") || !strings.Contains(w.log.String(), "lot delivered") {
		t.Errorf("the log is\n%s, want the delivery, and no signature", &w.log)
	}
}

func TestNothingIsValidatedAndARepeatedRequestMakesASecondLot(t *testing.T) {
	w := &world{}
	s := w.factory()
	for _, body := range []string{
		order, order,
		`{"MessageAttributeProductCnt":100,"CallbackUrl":"https://shop.test/production-orders/o/attempts/a/receipt"}`,
		"{\"Bell\":\"\a\",\"CallbackUrl\":\"https://shop.test/\"}", // not JSON, and SQS refuses the character
	} {
		if status, answer := post(t, s, body); status != 201 || !json.Valid([]byte(answer)) {
			t.Errorf("%q: got %d %s, want 201 and JSON", body, status, answer)
		}
	}
	if len(w.sent) != 3 || *w.sent[0].MessageBody == *w.sent[1].MessageBody {
		t.Errorf("it sent %d messages, want a lot of its own for each request with a callback", len(w.sent))
	}
}

// Everybody can reach the simulated factory. It must not send requests for everybody.
func TestOnlyTheStagesOwnAPIIsCalledBack(t *testing.T) {
	w := &world{}
	for _, callback := range []string{
		"https://elsewhere.test/", "http://shop.test/", "https://shop.test.evil.test/", "https://shop.test@evil.test/",
		"https://shop.test:8443/", "https://169.254.169.254/latest", "shop.test", "https://[", "",
	} {
		body := `{"CallbackUrl":` + string(encode(t, callback)) + `}`
		if status, answer := post(t, w.factory(), body); status != 201 || !strings.Contains(answer, body) {
			t.Errorf("%s: got %d %s, want 201 and an echo", callback, status, answer)
		}
	}
	if len(w.sent)+len(w.calls) > 0 {
		t.Errorf("it makes lots for %v, and called %q; want neither", w.sent, w.calls)
	}
}

func TestRequestThatTheFactoryCannotRememberIsNotAccepted(t *testing.T) {
	w := &world{err: errors.New("away")}
	if status, _ := post(t, w.factory(), order); status != 500 {
		t.Errorf("without its queue: got %d, want 500", status)
	}
	if status, _ := post(t, w.factory(), strings.Repeat("x", legacy.MaxBody+1)); status != 413 {
		t.Errorf("a long request: got %d, want 413", status)
	}
}

func TestALotIsCalledBackOnceWhateverHappens(t *testing.T) {
	for _, c := range []struct {
		name  string
		world *world
		log   string
	}{
		{"refused", &world{status: 503}, "delivery refused, and is not tried again"},
		{"redirected", &world{status: 307}, "delivery refused, and is not tried again"},
		{"no answer", &world{err: errors.New("reset")}, "delivery failed, and is not tried again"},
	} {
		s := c.world.factory()
		message := string(encode(t, lot{"id", []byte(order)}))
		deliver(t, s, "1", message)
		deliver(t, s, "2", message) // as if the invocation had ended before its answer
		if len(c.world.calls) != 1 {
			t.Errorf("%s: the shop got %d callbacks, want 1", c.name, len(c.world.calls))
		}
		if log := c.world.log.String(); !strings.Contains(log, c.log) || !strings.Contains(log, "the lot is lost") ||
			strings.Contains(log, "secret") {
			t.Errorf("%s: the log is\n%s, want %q, and no signature", c.name, log, c.log)
		}
	}
}

func TestLotsOfABatchDoNotDependOnEachOther(t *testing.T) {
	w := &world{}
	message := string(encode(t, lot{"id", []byte(order)}))
	deliver(t, w.factory(), "1", "not a lot", message, message)
	if len(w.calls) != 2 {
		t.Errorf("the shop got %d callbacks, want 2", len(w.calls))
	}
}

func TestDeclarationFollowsTheContract(t *testing.T) {
	if got := lambdas.RouteManufactures; got != "POST "+legacy.Path {
		t.Errorf("the function's route is %s, want the path of the contract", got)
	}
	if got := lambdas.Factory.Timeout; got < callbackTimeout+time.Second {
		t.Errorf("the function has %v, which is too little for a callback of %v", got, callbackTimeout)
	}
	got, err := queueURL("arn:aws:sqs:ap-northeast-2:123456789012:factory_queue-1a2b3c4")
	const want = "https://sqs.ap-northeast-2.amazonaws.com/123456789012/factory_queue-1a2b3c4"
	if err != nil || got != want {
		t.Errorf("the queue's URL is %s, %v; want %s", got, err, want)
	}
	if got, err := queueURL("factory_queue"); err == nil {
		t.Errorf("the URL of a queue without an ARN is %s, want an error", got)
	}
}
