// Package usage compares what the policies of a recorded program allow with the calls that a run of
// it made: which grants nobody used, and which policies would have been enough.
package usage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"restock/infra/policy/evaluation"
)

// A Call is a request that the policies of a program allowed.
type Call struct {
	Role    string `json:"role,omitempty"`    // ARN of the caller's role; empty for a service, and for anybody
	Session string `json:"session,omitempty"` // ARN of the role's session
	Service string `json:"service,omitempty"` // the service of AWS that called, such as "sns.amazonaws.com"
	Source  string `json:"source,omitempty"`  // ARN of the resource on whose behalf the service called
	Via     string `json:"via,omitempty"`     // the service that called for the role: "s3.eu-west-1.amazonaws.com"

	SourceIP string `json:"sourceIp,omitempty"` // of a request to an API; empty if it is not known

	// Endpoint is the endpoint of the VPC that a call of a function's code passes.
	Endpoint evaluation.VPCEndpoint `json:"endpoint,omitzero"`

	// EncryptionContext is that of a call of KMS, as a JSON object of texts, such as {"a":"b"}. It
	// is empty for other calls, and if it is not known. A record does not keep it: each object of
	// S3 has one of its own.
	EncryptionContext string `json:"-"`

	Action   string `json:"action"`
	Resource string `json:"resource"` // ARN, or "*"
}

// Request returns the call as policies see it.
func (c Call) Request() evaluation.Request {
	q := c.fromAnywhere()
	if c.SourceIP != "" {
		q = q.From(c.SourceIP)
	}
	var pairs map[string]string
	if c.EncryptionContext != "" && json.Unmarshal([]byte(c.EncryptionContext), &pairs) == nil {
		q = q.Encrypting(pairs)
	}
	return q
}

func (c Call) fromAnywhere() evaluation.Request {
	switch {
	case c.Service != "":
		return evaluation.ByService(c.Service, c.Source, c.Action, c.Resource)
	case c.Role == "":
		return evaluation.ByAnybody(c.Action, c.Resource)
	}
	q := evaluation.ByRole(c.Role, c.Session, c.Action, c.Resource)
	if c.Via != "" {
		return q.Via(c.Via)
	}
	return q.Through(c.Endpoint)
}

func (c Call) compare(d Call) int {
	return cmp.Or(cmp.Compare(c.Role, d.Role), cmp.Compare(c.Session, d.Session), cmp.Compare(c.Service, d.Service),
		cmp.Compare(c.Source, d.Source), cmp.Compare(c.Via, d.Via),
		cmp.Compare(c.SourceIP, d.SourceIP),
		cmp.Compare(c.Endpoint.ID, d.Endpoint.ID),
		cmp.Compare(c.Endpoint.SourceIP, d.Endpoint.SourceIP),
		cmp.Compare(c.Action, d.Action), cmp.Compare(c.Resource, d.Resource))
}

// Counts say how often each call was made.
type Counts struct {
	Times map[Call]int
	// Lost is the number of calls that are not in Times, because it was full.
	Lost int
	// Judged are the services whose calls the runs checked, by their names in IAM's actions. A
	// grant on another service cannot be measured.
	Judged []string
}

// counted is a call in the JSON of Counts.
type counted struct {
	Call
	Times int `json:"times"`
}

type countsJSON struct {
	Judged []string  `json:"judged"`
	Calls  []counted `json:"calls"`
	Lost   int       `json:"lost,omitempty"`
}

// MarshalJSON writes the calls as a sorted list.
func (c Counts) MarshalJSON() ([]byte, error) {
	written := countsJSON{Judged: c.Judged, Lost: c.Lost}
	for _, call := range slices.SortedFunc(maps.Keys(c.Times), Call.compare) {
		written.Calls = append(written.Calls, counted{call, c.Times[call]})
	}
	return json.Marshal(written)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (c *Counts) UnmarshalJSON(text []byte) error {
	var read countsJSON
	if err := json.Unmarshal(text, &read); err != nil {
		return fmt.Errorf("reading calls: %w", err)
	}
	*c = Counts{Times: map[Call]int{}, Judged: read.Judged, Lost: read.Lost}
	for _, call := range read.Calls {
		c.Times[call.Call] += call.Times
	}
	return nil
}

// Add adds the counts of other runs. Like a record, it keeps at most maxCalls different calls.
func (c *Counts) Add(more Counts) {
	if c.Times == nil {
		c.Times = map[Call]int{}
	}
	for _, call := range slices.SortedFunc(maps.Keys(more.Times), Call.compare) {
		if _, known := c.Times[call]; !known && len(c.Times) >= maxCalls {
			c.Lost += more.Times[call]
			continue
		}
		c.Times[call] += more.Times[call]
	}
	c.Lost += more.Lost
	c.Judged = slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.Judged, more.Judged))))
}

// maxCalls limits the different calls in a record. A role with a wildcard may call any number of
// resources.
const maxCalls = 10_000

// A Record counts the calls of a run. Its methods are safe for concurrent use. The zero value is
// ready to use.
type Record struct {
	mu     sync.Mutex
	counts Counts
}

// Made counts a call.
func (r *Record) Made(c Call) {
	c.EncryptionContext = ""
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts.Times == nil {
		r.counts.Times = map[Call]int{}
	}
	if _, known := r.counts.Times[c]; !known && len(r.counts.Times) >= maxCalls {
		r.counts.Lost++
		return
	}
	r.counts.Times[c]++
}

// Counts returns the calls so far.
func (r *Record) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	copied := r.counts
	copied.Times = maps.Clone(r.counts.Times)
	return copied
}
