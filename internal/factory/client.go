package factory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Path is the path of the Factory API's only operation, a POST.
const Path = "/api/manufactures"

// maxAnswer is the largest part of an answer that is read, in bytes.
const maxAnswer = 64 << 10

// A Client calls the Factory API.
type Client struct {
	baseURL string
	http    *http.Client
}

// NewClient returns a client of the factory at a base URL. Each request has a timeout, because the
// factory may hang. A nil transport is http.DefaultTransport.
func NewClient(baseURL string, timeout time.Duration, transport http.RoundTripper) Client {
	return Client{baseURL, &http.Client{
		Timeout: timeout, Transport: transport,
		// A redirect is an error, like every answer other than 201.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Produce asks the factory to make something, and returns the id of the lot. After an error the
// factory may or may not have started: it has no way to ask. It does not recognize a repeated
// request, so Produce never retries.
func (c Client) Produce(ctx context.Context, r Request) (lot string, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("writing the factory's request: %w", err)
	}
	url := strings.TrimSuffix(c.baseURL, "/") + Path
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("asking the factory: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking the factory: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("reading the factory's answer to POST %s: %w", url, err)
	}
	if answer.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("asking the factory: POST %s was answered with %s, not 201: %.200q",
			url, answer.Status, r.CallbackURL.hideIn(text))
	}
	var created struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &created); err != nil || created.Data.ID == "" {
		return "", fmt.Errorf("reading the factory's answer to POST %s: no data.id in %.200q",
			url, r.CallbackURL.hideIn(text))
	}
	return created.Data.ID, nil
}
