// Package load simulates buyers: it sends checkouts to a shop's HTTP API. The benchmark, the chaos
// run, the demo and the console's rush use it.
package load

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"restock/internal/web"
)

// A Shop is the HTTP API that buyers use.
type Shop struct {
	URL    string
	Client *http.Client
}

// NewClient returns a client for a number of concurrent buyers. It keeps a connection for each of
// them.
func NewClient(buyers int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: buyers}}
}

// A Purchase is a buyer's request. The shop has defaults for the product and the quantity, and
// needs no body if a buyer wants both.
type Purchase struct {
	SKU      string `json:"sku,omitempty"`
	Quantity int    `json:"quantity,omitempty"`
	// IdempotencyKey is sent as a header, unless it is empty.
	IdempotencyKey string `json:"-"`
}

// An Outcome says what an answer means for the buyer.
type Outcome int

// The outcomes. The first two are final; after the others, the purchase may or may not have been
// made.
const (
	Sold    Outcome = iota
	Refused         // the stock is too low
	Busy            // the shop is too busy, or its database cannot be reached
	Failed          // any other answer
)

// An Answer is the shop's answer to a request.
type Answer struct {
	Status    int
	Text      []byte
	RequestID string // API Gateway's
}

// Outcome returns what the answer to a checkout means.
func (a Answer) Outcome() Outcome {
	switch a.Status {
	case http.StatusOK:
		return Sold
	case http.StatusConflict:
		return Refused
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return Busy
	}
	return Failed
}

// Buy sends a checkout. An error means that there was no answer.
func (s Shop) Buy(ctx context.Context, p Purchase) (Answer, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return Answer{}, err
	}
	if string(body) == "{}" {
		body = nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/checkout", bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	if p.IdempotencyKey != "" {
		request.Header.Set(web.IdempotencyHeader, p.IdempotencyKey)
	}
	return s.do(request)
}

// Get reads a path of the shop.
func (s Shop) Get(ctx context.Context, path string) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return Answer{}, err
	}
	return s.do(request)
}

func (s Shop) do(request *http.Request) (Answer, error) {
	response, err := s.Client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", request.Method, request.URL.Path, err)
	}
	return Answer{response.StatusCode, text, response.Header.Get("Apigw-Requestid")}, nil
}

// Crowd calls buyer for each number from 0 to buyers-1, at most atOnce at a time. The first error
// ends the context of the other calls, and Crowd returns it.
func Crowd(ctx context.Context, buyers, atOnce int, buyer func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range buyers {
		group.Go(func() error { return buyer(ctx, i) })
	}
	return group.Wait()
}

// Percentile returns the smallest value that at least p percent of the values do not exceed
// (nearest rank). It panics without values.
func Percentile[T cmp.Ordered](values []T, p int) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max((len(sorted)*p+99)/100-1, 0)]
}
