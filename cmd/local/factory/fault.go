package factory

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Fault is a fault of the factory. The zero Fault is a factory that works. Status, Answer, Produces
// and Delay apply to requests when they arrive, Deliveries and Count to lots when they are
// finished.
type Fault struct {
	// Status, if not 0, replaces the 201.
	Status int `json:"status,omitempty"`
	// Answer is the kind of answer if Status is 0.
	Answer Answer `json:"answer,omitempty"`
	// Produces makes the lot although the answer fails. The requester cannot know this, and a
	// repeated request makes a second lot.
	Produces bool `json:"produces,omitempty"`
	// Delay is the delay of the answer, up to MaxDelay. The lot is in the making meanwhile, whether
	// the requester waits or not.
	Delay time.Duration `json:"delay,omitempty"`
	// Deliveries is the number of concurrent callbacks for a lot, up to MaxDeliveries; 0 means 1.
	Deliveries int `json:"deliveries,omitempty"`
	// Count, if not "", replaces the ordered quantity in the callback. It is a string if that was a
	// string. It has at most MaxCount bytes.
	Count string `json:"count,omitempty"`
	// Hold stops the work: orders get their normal answer, but no job finishes a step until a fault
	// without Hold is set. A test uses it if the delivery must come after something else.
	Hold bool `json:"hold,omitempty"`
}

// Limits of a Fault.
const (
	// MaxDelay is the longest delay of an answer. No client waits as long.
	MaxDelay = 10 * time.Minute
	// MaxDeliveries limits the callbacks of a lot, because each takes a connection and memory.
	MaxDeliveries = 20
	// MaxCount limits the length of Count, in bytes.
	MaxCount = 64
)

// Answer is a kind of answer to a production order.
type Answer string

// The kinds of answers.
const (
	AnswerNormal     Answer = ""           // 201 at once
	AnswerNever      Answer = "hang"       // no answer while the client waits
	AnswerDisconnect Answer = "disconnect" // the connection is closed without an answer
	AnswerGarbage    Answer = "garbage"    // 201 with an incomplete body
)

// produces reports whether a request makes a lot. A 201, even a garbled one, means that the factory
// accepted the order.
func (fault Fault) produces() bool {
	return fault.Produces || fault.Status == 0 && (fault.Answer == AnswerNormal || fault.Answer == AnswerGarbage)
}

// validate returns an error for an invalid fault.
func (fault Fault) validate() error {
	switch fault.Answer {
	case AnswerNormal, AnswerNever, AnswerDisconnect, AnswerGarbage:
	default:
		return fmt.Errorf("the answer %q is none of hang, disconnect, garbage", fault.Answer)
	}
	switch {
	case fault.Status != 0 && (fault.Status < 400 || fault.Status > 599):
		return fmt.Errorf("the status %d is not an error, 400 to 599", fault.Status)
	case fault.Status != 0 && fault.Answer != AnswerNormal:
		return fmt.Errorf("the status %d and the answer %q exclude each other", fault.Status, fault.Answer)
	case fault.Delay < 0 || fault.Delay > MaxDelay:
		return fmt.Errorf("the delay %v is not from 0 to %v", fault.Delay, MaxDelay)
	case fault.Deliveries < 0 || fault.Deliveries > MaxDeliveries:
		return fmt.Errorf("deliveries is %d: it must be from 0 to %d", fault.Deliveries, MaxDeliveries)
	case len(fault.Count) > MaxCount:
		return fmt.Errorf("count has %d bytes: it must have at most %d", len(fault.Count), MaxCount)
	}
	return nil
}

// String describes the fault in a few words, or returns "" if there is none.
func (fault Fault) String() string {
	var words []string
	if fault.Status != 0 {
		words = append(words, fmt.Sprintf("answers %d", fault.Status))
	}
	if fault.Answer != AnswerNormal {
		words = append(words, string(fault.Answer))
	}
	if fault.Delay > 0 {
		words = append(words, fmt.Sprintf("takes %v to answer", fault.Delay))
	}
	if fault.Produces {
		words = append(words, "produces nevertheless")
	}
	if fault.Deliveries > 1 {
		words = append(words, fmt.Sprintf("delivers %d times", fault.Deliveries))
	}
	if fault.Count != "" {
		words = append(words, "delivers "+fault.Count)
	}
	if fault.Hold {
		words = append(words, "finishes no step")
	}
	return strings.Join(words, ", ")
}

// SetFault makes the factory fail in the given way from now on. The zero Fault ends the failure. An
// invalid fault is an error and changes nothing.
func (f *Factory) SetFault(fault Fault) error {
	if err := fault.validate(); err != nil {
		return fmt.Errorf("setting the factory's fault: %w", err)
	}
	f.mu.Lock()
	f.fault = fault
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	f.log.Info("the factory's fault is set", "fault", cmp.Or(fault.String(), "none"))
	return nil
}

// Fault returns the current fault.
func (f *Factory) Fault() Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}

// withCount replaces the count in a request. A body that is not a JSON object has no count and
// stays unchanged.
func withCount(body []byte, ordered json.RawMessage, count string) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return body
	}
	replacement := json.RawMessage(count)
	if len(ordered) == 0 || ordered[0] == '"' || !json.Valid(replacement) {
		replacement, _ = json.Marshal(count) // cannot fail on a string
	}
	fields["MessageAttributeProductCnt"] = replacement
	altered, _ := json.Marshal(fields) // cannot fail on a value that was just decoded
	return altered
}
