// Package eventbridge is a stand-in for the event buses of Amazon EventBridge: PutEvents sends
// events, and declared rules with a pattern pass them on to their targets. Package scheduler has
// the rules with a schedule.
package eventbridge

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"restock/infra/graph"
	"restock/local/aws/async"
	"restock/local/aws/awsapi"
	"restock/local/aws/sns"
	"restock/local/aws/standin"
)

// Nodes draws event buses, and the functions that may send events to them.
var Nodes = []standin.Node{{
	Kind: "event-bus", Type: graph.EventBus, Calls: []standin.Call{{Action: "events:PutEvents", Label: "PutEvents"}},
}}

// A Rule passes the events of a bus that match a pattern on.
type Rule struct {
	Bus     string // the name or the ARN; empty is the default bus
	Pattern sns.Pattern
	// Send passes an event on to a target of the rule. It does not wait for a function: see
	// [async.Group].
	Send func(ctx context.Context, event []byte)
}

// A Service is EventBridge in one region. Its methods are safe for concurrent use.
type Service struct {
	region string
	log    *slog.Logger
	rules  atomic.Pointer[[]Rule] // nil before Start

	*async.Group // the invocations of functions
}

// New returns a service without rules.
func New(region string, log *slog.Logger) *Service {
	return &Service{region: region, log: log, Group: async.NewGroup()}
}

// Start sets the rules. Events that functions sent before are lost.
func (s *Service) Start(rules []Rule) { s.rules.Store(&rules) }

// API returns the service's operations for an AWS endpoint.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
func (s *Service) API() awsapi.Service {
	return awsapi.Service{
		Name: "events", Protocol: awsapi.JSON("1.1", "AWSEvents"),
		Operations: map[string]awsapi.Operation{"PutEvents": awsapi.Handle(s.putEvents)},
		Authorization: &awsapi.Authorization{
			Permissions: s.permissions,
			Denied:      awsapi.Error{Status: http.StatusBadRequest, Code: "AccessDeniedException"},
		},
	}
}

// permissions returns a permission for the bus of each event.
func (s *Service) permissions(operation string, decode func(any) error) (needs []awsapi.Permission, err error) {
	var in putEventsInput
	if err := decode(&in); err != nil {
		return nil, err
	}
	for _, e := range in.Entries {
		needs = append(needs, awsapi.Permission{Action: "events:" + operation, Resource: s.busARN(e.EventBusName)})
	}
	if len(needs) == 0 || len(needs) > maxEntries {
		return nil, awsapi.Errorf("ValidationException", "Entries must have 1 to %d events.", maxEntries)
	}
	return needs, nil
}

// busARN returns the ARN of a bus that is given by its name or its ARN.
func (s *Service) busARN(nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN
	}
	return graph.EventBus.ARN(s.region, cmp.Or(nameOrARN, graph.DefaultBus))
}

// maxEntries limits the events of a call.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
const maxEntries = 10

type putEventsInput struct{ Entries []entry }

// An entry is an event that a caller sends.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
type entry struct {
	Source, DetailType, Detail, EventBusName, TraceHeader string

	Resources []string
	Time      *float64 // seconds since 1970
}

type putEventsOutput struct {
	FailedEntryCount int
	Entries          []result
}

type result struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

func (s *Service) putEvents(ctx context.Context, in putEventsInput) (out putEventsOutput, err error) {
	for _, e := range in.Entries {
		id := uuid.NewString()
		r := e.refusal()
		if r == (result{}) {
			r.EventID = id
			err = s.send(ctx, id, e)
		} else {
			out.FailedEntryCount++
		}
		if err != nil {
			return out, err
		}
		out.Entries = append(out.Entries, r)
	}
	return out, nil
}

// refusal returns the result of an event that EventBridge does not accept, or an empty one.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
func (e entry) refusal() result {
	for _, required := range []struct{ name, value string }{
		{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail},
	} {
		if required.value == "" {
			return result{ErrorCode: "InvalidArgument", ErrorMessage: fmt.Sprintf(
				"Parameter %s is not valid. Reason: %[1]s is a required argument.", required.name)}
		}
	}
	var detail map[string]any
	switch {
	case json.Unmarshal([]byte(e.Detail), &detail) != nil || detail == nil:
		return result{ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed."}
	case strings.HasPrefix(e.Source, "aws."):
		return result{
			ErrorCode: "NotAuthorizedForSourceException", ErrorMessage: "Not authorized for the source.",
		}
	}
	return result{}
}

// An event is what targets get.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
type event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// send passes an event on by the rules of its bus.
func (s *Service) send(ctx context.Context, id string, e entry) error {
	at := time.Now()
	if e.Time != nil {
		at = time.UnixMilli(int64(*e.Time * 1000))
	}
	text, err := json.Marshal(event{
		Version: "0", ID: id, DetailType: e.DetailType, Source: e.Source, Account: graph.AccountID,
		Time: at.UTC().Format("2006-01-02T15:04:05Z"), Region: s.region, Resources: append([]string{}, e.Resources...),
		Detail: json.RawMessage(e.Detail),
	})
	if err != nil {
		return fmt.Errorf("writing the event: %w", err)
	}
	if e.TraceHeader != "" { // it overrides the header of the request
		ctx = awsapi.WithTraceHeader(ctx, e.TraceHeader)
	}
	bus, matched := s.busARN(e.EventBusName), false
	if rules := s.rules.Load(); rules != nil {
		for _, rule := range *rules {
			if s.busARN(rule.Bus) == bus && rule.Pattern.Matches(string(text)) {
				matched = true
				rule.Send(ctx, text)
			}
		}
	}
	if !matched {
		s.log.InfoContext(ctx, "an event matches no rule: nothing gets it", "bus", bus,
			"source", e.Source, "detail_type", e.DetailType)
	}
	return nil
}
