package conformance

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/eventsource"
	"restock/local/aws/sqs"
)

var (
	anUUID     = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	aText      = regexp.MustCompile(`.+`)
	aTimestamp = regexp.MustCompile(`[0-9]+`)
)

// mapped is a queue with a mapping to a function. It runs in the time of a synctest bubble.
type mapped struct {
	*Recorded
	queue, deadLetters *sqs.Queue
	respond            func(records []any) (string, error)

	mu     sync.Mutex
	events []map[string]any
	at     []time.Time
}

const mappedVisibility = 30 * time.Second

// mapping runs a test with a queue whose messages go to a dead-letter queue after two receives, and
// a function that answers with respond. The mapping starts with the first call of start.
func (r *Recorded) mapping(respond func(records []any) (string, error), test func(*mapped)) {
	r.Helper()
	r.onlyHere()
	synctest.Test(r.T, func(*testing.T) {
		m := &mapped{Recorded: r, respond: respond}
		service := sqs.New(sqs.Config{
			BaseURL: "http://127.0.0.1", Region: endpoint.region, AccountID: graph.AccountID,
		}, slog.New(slog.DiscardHandler))
		defer service.Close()
		create := func(c sqs.QueueConfig) *sqs.Queue {
			q, err := service.CreateQueue(c)
			if err != nil {
				r.Fatal(err)
			}
			return q
		}
		m.deadLetters = create(sqs.NewQueueConfig("dead-letters"))
		config := sqs.NewQueueConfig("source")
		config.VisibilityTimeout = mappedVisibility
		config.RedrivePolicy = &sqs.RedrivePolicy{DeadLetterTargetARN: m.deadLetters.ARN(), MaxReceiveCount: 2}
		m.queue = create(config)
		test(m)
	})
}

// onlyHere skips a recording whose facts no call to an endpoint shows.
func (r *Recorded) onlyHere() {
	r.Helper()
	if endpoint.other {
		r.Skip("no call to the endpoint shows these facts")
	}
}

func (m *mapped) send(bodies ...string) {
	m.Helper()
	for _, body := range bodies {
		if _, err := m.queue.Send(sqs.SendInput{Body: body, SenderID: "AIDAEXAMPLE"}); err != nil {
			m.Fatal(err)
		}
	}
}

// start runs the mapping for some time.
func (m *mapped) start(config eventsource.Config, duration time.Duration) {
	m.Helper()
	config.FunctionName = "function"
	if config.BatchSize == 0 {
		config.BatchSize = eventsource.DefaultBatchSize
	}
	mapping, err := eventsource.Start(config, m.queue, m, slog.New(slog.DiscardHandler))
	if err != nil {
		m.Fatal(err)
	}
	time.Sleep(duration)
	if err := mapping.Shutdown(context.Background()); err != nil {
		m.Error(err)
	}
}

// Invoke is the function.
func (m *mapped) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event map[string]any
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.events, m.at = append(m.events, event), append(m.at, time.Now())
	m.mu.Unlock()
	records, _ := event["Records"].([]any)
	answer, err := m.respond(records)
	return []byte(answer), err
}

// event checks the function's event number n.
func (m *mapped) event(n int, records ...any) {
	m.Helper()
	var got map[string]any
	if n <= len(m.events) {
		got = m.events[n-1]
	}
	m.fact("lambda", "SQS event source", members, fmt.Sprintf("event %d", n), got, input{"Records": records})
}

// left checks the bodies of the messages in the dead-letter queue, and that the queue is empty.
func (m *mapped) left(bodies ...string) {
	m.Helper()
	wait := time.Duration(0)
	received, err := m.deadLetters.Receive(context.Background(), sqs.ReceiveOptions{MaxMessages: 10, Wait: &wait})
	if err != nil {
		m.Fatal(err)
	}
	got, want := []any{m.queue.Counts().InFlight + m.queue.Counts().Visible}, []any{0}
	for _, message := range received {
		got = append(got, message.Body)
	}
	for _, body := range bodies {
		want = append(want, body)
	}
	m.fact("lambda", "SQS event source", members, "what is left in the queue, and the dead letters", got, want)
}

// record returns the record of a message without attributes.
func (m *mapped) record(body, receives string, more input) input {
	sum := md5.Sum([]byte(body))
	record := input{
		"messageId": anUUID, "receiptHandle": aText, "body": body, "md5OfBody": hex.EncodeToString(sum[:]),
		"attributes": input{
			"ApproximateReceiveCount": receives, "SentTimestamp": aTimestamp, "SenderId": "AIDAEXAMPLE",
			"ApproximateFirstReceiveTimestamp": aTimestamp,
		},
		"messageAttributes": input{}, "md5OfMessageAttributes": missing{},
		"eventSource": "aws:sqs", "eventSourceARN": m.queue.ARN(), "awsRegion": endpoint.region,
	}
	for name, value := range more {
		record[name] = value
	}
	return record
}

// bodyOf and idOf return the body and the id of a record.
func bodyOf(record any) string { body, _ := record.(map[string]any)["body"].(string); return body }
func idOf(record any) string   { id, _ := record.(map[string]any)["messageId"].(string); return id }

func succeeds([]any) (string, error) { return "null", nil }
func fails([]any) (string, error)    { return "", errors.New("failed attempt") }

// failedItems returns the function's response that reports records as failed.
func failedItems(records []any, failed func(record any) bool) string {
	var items []string
	for _, r := range records {
		if failed(r) {
			items = append(items, fmt.Sprintf(`{"itemIdentifier":%q}`, idOf(r)))
		}
	}
	return `{"batchItemFailures":[` + strings.Join(items, ",") + `]}`
}

// receives returns how often a record's message was received.
func receives(record any) string {
	attributes, _ := record.(map[string]any)["attributes"].(map[string]any)
	count, _ := attributes["ApproximateReceiveCount"].(string)
	return count
}

// refusedConfig checks the refusal of a declaration.
func (r *Recorded) refusedConfig(operation string, err error, status int, code, text string) {
	r.Helper()
	refusal := &awsapi.Error{}
	errors.As(err, &refusal)
	r.fact("lambda", operation, statusAndCode, "status and code",
		fmt.Sprintf("%d %s", refusal.Status, refusal.Code), fmt.Sprintf("%d %s", status, code))
	r.fact("lambda", operation, errorText, "the text", refusal.Message, text)
}

func TestRecordedSQSEventSource(t *testing.T) {
	windowed := input{"md5OfMessageAttributes": null{}}
	recordings := []recording{
		{"test_failing_lambda_retries_after_visibility_timeout", "2025-11-25", func(r *Recorded) {
			r.mapping(func(records []any) (string, error) {
				if receives(records[0]) == "1" {
					return fails(nil)
				}
				return succeeds(nil)
			}, func(m *mapped) {
				const body = `{"fail_attempts": 1}`
				m.send(body)
				m.start(eventsource.Config{BatchSize: 1}, 2*time.Minute)
				m.event(1, m.record(body, "1", nil))
				m.event(2, m.record(body, "2", nil))
				m.fact("lambda", "SQS event source", members, "the retry is after the visibility timeout",
					len(m.at) == 2 && m.at[1].Sub(m.at[0]) >= mappedVisibility, true)
				m.left()
			})
		}},
		{"test_message_body_and_attributes_passed_correctly", "2025-11-25", func(r *Recorded) {
			r.mapping(succeeds, func(m *mapped) {
				attributes, want := map[string]sqs.MessageAttribute{}, input{}
				for name, a := range map[string][2]string{
					"Title": {"String", "The Whistler"}, "Author": {"String", "John Grisham"},
					"WeeksOn": {"Number", "6"},
				} {
					attributes[name] = sqs.MessageAttribute{DataType: a[0], StringValue: a[1]}
					want[name] = input{
						"stringValue": a[1], "dataType": a[0], "stringListValues": []any{}, "binaryListValues": []any{},
					}
				}
				message := sqs.SendInput{Body: "{}", Attributes: attributes, SenderID: "AIDAEXAMPLE"}
				if _, err := m.queue.Send(message); err != nil {
					m.Fatal(err)
				}
				m.start(eventsource.Config{BatchSize: 1}, time.Second)
				m.event(1, m.record("{}", "1", input{
					"messageAttributes": want, "md5OfMessageAttributes": "d25a6aea97eb8f585bfa92d314504a92",
				}))
				m.left()
			})
		}},
		{"test_redrive_policy_with_failing_lambda", "2025-11-25", func(r *Recorded) {
			r.mapping(fails, func(m *mapped) {
				const body = `{"fail_attempts": 2}`
				m.send(body)
				m.start(eventsource.Config{BatchSize: 1}, 2*time.Minute)
				m.event(1, m.record(body, "1", nil))
				m.event(2, m.record(body, "2", nil))
				m.left(body)
			})
		}},
		// Recorded with a FIFO queue. These facts hold for a standard queue too.
		{"test_report_batch_item_failures", "2025-03-03", func(r *Recorded) {
			r.mapping(func(records []any) (string, error) {
				return failedItems(records, func(record any) bool { return receives(record) <= bodyOf(record) }), nil
			}, func(m *mapped) { // a body says how many attempts fail
				m.send("0", "1", "1", "2")
				m.start(eventsource.Config{ReportBatchItemFailures: true}, 2*time.Minute)
				m.event(1, m.record("0", "1", nil), m.record("1", "1", nil), m.record("1", "1", nil),
					m.record("2", "1", nil))
				m.event(2, m.record("1", "2", nil), m.record("1", "2", nil), m.record("2", "2", nil))
				m.left("2")
			})
		}},
		{"test_report_batch_item_failures_empty_json_batch_succeeds", "2025-11-25", func(r *Recorded) {
			r.mapping(func([]any) (string, error) { return "{}", nil }, func(m *mapped) {
				m.send("{}")
				m.start(eventsource.Config{ReportBatchItemFailures: true}, 2*time.Minute)
				m.event(1, m.record("{}", "1", nil))
				m.left()
			})
		}},
		{"test_report_batch_item_failures_invalid_result_json_batch_fails", "2025-11-25", func(r *Recorded) {
			r.mapping(func([]any) (string, error) { return `{"batchItemFailures":[{"foo":"notvalid"}]}`, nil },
				func(m *mapped) {
					m.send("{}")
					m.start(eventsource.Config{ReportBatchItemFailures: true}, 2*time.Minute)
					m.event(1, m.record("{}", "1", nil))
					m.event(2, m.record("{}", "2", nil))
					m.left("{}")
				})
		}},
		{"test_report_batch_item_failures_on_lambda_error", "2025-11-25", func(r *Recorded) {
			r.mapping(func(records []any) (string, error) {
				for _, record := range records {
					if !json.Valid([]byte(bodyOf(record))) {
						return "", errors.New("the body is not JSON")
					}
				}
				return failedItems(nil, nil), nil
			}, func(m *mapped) {
				m.send("{not a json body", `{"message": 2}`)
				m.start(eventsource.Config{ReportBatchItemFailures: true}, 2*time.Minute)
				m.left("{not a json body", `{"message": 2}`)
			})
		}},
		{"TestSQSEventSourceMapping::test_event_source_mapping_default_batch_size", "2025-11-25", func(r *Recorded) {
			r.mapping(succeeds, func(m *mapped) {
				r.fact("lambda", "CreateEventSourceMapping", members, "the default of BatchSize",
					eventsource.DefaultBatchSize, 10)
				_, err := eventsource.Start(eventsource.Config{BatchSize: 20}, m.queue, m,
					slog.New(slog.DiscardHandler))
				r.refusedConfig("CreateEventSourceMapping", err, 400, "InvalidParameterValueException",
					"Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
			})
		}},
		{"TestSQSEventSourceMapping::test_sqs_event_source_mapping", "2025-11-25", func(r *Recorded) {
			r.mapping(succeeds, func(m *mapped) {
				m.send(`{"foo": "bar"}`)
				m.start(eventsource.Config{BatchingWindow: time.Second}, 2*time.Minute)
				m.event(1, m.record(`{"foo": "bar"}`, "1", windowed))
				m.left()
			})
		}},
		{"TestSQSEventSourceMapping::test_sqs_event_source_mapping_batching_reserved_concurrency", "2025-11-25",
			func(r *Recorded) {
				r.mapping(succeeds, func(m *mapped) {
					for i := range 30 {
						m.send(fmt.Sprint(i))
					}
					config := eventsource.Config{BatchSize: 20, BatchingWindow: time.Second, MaximumConcurrency: 2}
					m.start(config, 2*time.Minute)
					m.fact("lambda", "SQS event source", members, "batches", len(m.events), 2)
					m.left()
				})
			}},
	}
	for _, size := range []int{15, 100, 1000, 10000} {
		recordings = append(recordings, recording{
			fmt.Sprintf("TestSQSEventSourceMapping::test_sqs_event_source_mapping_batch_size[%d]", size), "2025-11-25",
			func(r *Recorded) {
				r.mapping(succeeds, func(m *mapped) {
					var want []any
					for i := range 15 {
						m.send(fmt.Sprint(i))
						want = append(want, m.record(fmt.Sprint(i), "1", windowed))
					}
					m.start(eventsource.Config{BatchSize: size, BatchingWindow: 10 * time.Second}, 2*time.Minute)
					m.event(1, want...)
					m.left()
				})
			}})
	}
	checkRecorded(t, "lambda_/event_source_mapping/test_lambda_integration_sqs", recordings,
		leftOut{22, "mappings with a filter, which the run refuses"},
		leftOut{4, "checks of filters, which the run refuses"},
		leftOut{1, "FIFO queues"},
		leftOut{2, "answers of the API that creates mappings: the rules check these declarations"},
		leftOut{1, "a function with a dead-letter queue, which the program does not declare"},
		leftOut{1, "versions of a function, which the program does not declare"})
}
