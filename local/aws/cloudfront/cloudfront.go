// Package cloudfront is a stand-in for an Amazon CloudFront distribution before one origin. It has
// one cache, like one of CloudFront's locations. It caches answers with status 200 only, and
// neither compresses nor limits methods.
//
// It follows https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html and
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html.
package cloudfront

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Config describes a distribution.
type Config struct {
	// Behaviors are the cache behaviors in their order. CloudFront uses the first one whose path
	// pattern matches. Requests that match none are not cached.
	Behaviors []Behavior
	// Header is added to all answers. Its values replace those of the origin.
	Header http.Header
}

// A Behavior is a cache behavior. It caches GET and HEAD.
type Behavior struct {
	Path *regexp.Regexp
	CachePolicy
}

// A CachePolicy says how long an answer is kept, and which requests share it.
type CachePolicy struct {
	MinTTL, DefaultTTL, MaxTTL time.Duration
	Headers                    []string // of the cache key
	QueryString                bool     // whether the query is in the cache key
}

// A Distribution is an http.Handler that serves a distribution.
type Distribution struct {
	config  Config
	origin  http.Handler
	fetches singleflight.Group // by cache key

	mu   sync.Mutex // guards the next field
	kept map[string]*response
}

// New returns the distribution that config describes.
func New(config Config, origin http.Handler) *Distribution {
	return &Distribution{config: config, origin: origin, kept: map[string]*response{}}
}

// ServeHTTP answers from the cache, or with the answer of the origin.
func (d *Distribution) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(d.config.Behaviors, func(b Behavior) bool { return b.Path.MatchString(r.URL.Path) })
	if i < 0 || r.Method != http.MethodGet && r.Method != http.MethodHead {
		d.send(w, r, d.fetch(r), "Miss")
		return
	}
	policy := d.config.Behaviors[i].CachePolicy
	key, mine := policy.key(r), false
	found, _, _ := d.fetches.Do(key, func() (any, error) {
		if old := d.find(key); old != nil && old.age() < old.ttl {
			return old, nil
		}
		mine = true
		return d.refresh(policy, key, r), nil
	})
	answer, _ := found.(*response)
	switch {
	case mine:
		d.send(w, r, answer, "Miss")
	case answer.ttl > 0:
		d.send(w, r, answer, "Hit")
	default: // the request has waited for an answer that it may not share
		d.send(w, r, d.refresh(policy, key, r), "Miss")
	}
}

// A response is an answer of the origin.
type response struct {
	status int
	header http.Header
	body   bytes.Buffer

	at    time.Time
	ttl   time.Duration // how long it is fresh; 0: it is not kept
	stale time.Duration // how long it may then replace an error of the origin
}

func (r *response) Header() http.Header { return r.header }

func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *response) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

func (r *response) age() time.Duration { return time.Since(r.at) }

// fetch passes a request on. Like API Gateway, it does not cancel a request whose client hangs up:
// others may wait for its answer.
func (d *Distribution) fetch(r *http.Request) *response {
	answer := &response{header: http.Header{}}
	d.origin.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
	answer.WriteHeader(http.StatusOK)
	answer.at = time.Now()
	if answer.header.Get("Date") == "" { // net/http would add the time at which it sends the answer
		answer.header.Set("Date", answer.at.UTC().Format(http.TimeFormat))
	}
	return answer
}

// refresh fetches an answer and keeps it as long as its headers and the policy allow. If the origin
// fails, an old answer may replace the error.
func (d *Distribution) refresh(policy CachePolicy, key string, r *http.Request) *response {
	full := r.Clone(r.Context())
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "Range"} {
		full.Header.Del(name) // the answer is for everybody, so it must be complete
	}
	answer := d.fetch(full)
	if answer.status >= http.StatusInternalServerError {
		if old := d.find(key); old != nil && old.age() < old.ttl+old.stale {
			return old
		}
	}
	if answer.status == http.StatusOK {
		policy.apply(answer)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if answer.ttl > 0 {
		d.kept[key] = answer
	}
	return answer
}

func (d *Distribution) find(key string) *response {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept[key]
}

// send answers a request. A client that has the answer already gets 304.
func (d *Distribution) send(w http.ResponseWriter, r *http.Request, answer *response, cache string) {
	h := w.Header()
	maps.Copy(h, answer.header)
	maps.Copy(h, d.config.Header)
	h.Set("X-Cache", cache+" from cloudfront")
	if cache == "Hit" {
		h.Set("Age", strconv.Itoa(int(answer.age().Seconds())))
	}
	if answer.ttl > 0 {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(answer.body.Bytes()))
		return
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes()) // if the client is gone, nobody can handle the error
}

// key returns the cache key of a request. Headers and the query are in it only if the policy says
// so.
func (p CachePolicy) key(r *http.Request) string {
	parts := []string{r.Method, r.URL.Path}
	for _, name := range p.Headers {
		parts = append(parts, strings.Join(r.Header.Values(name), ","))
	}
	if p.QueryString {
		parts = append(parts, r.URL.RawQuery)
	}
	return strings.Join(parts, "\n")
}

// apply sets how long an answer is kept.
func (p CachePolicy) apply(answer *response) {
	directives := map[string]string{}
	for directive := range strings.SplitSeq(strings.Join(answer.header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		directives[name] = value
	}
	seconds := func(name string) (time.Duration, bool) {
		n, err := strconv.Atoi(directives[name])
		return time.Duration(n) * time.Second, err == nil
	}
	answer.ttl = p.DefaultTTL
	for _, name := range []string{"max-age", "s-maxage"} { // the second one counts more
		if age, declared := seconds(name); declared {
			answer.ttl = min(age, p.MaxTTL)
		}
	}
	for _, name := range []string{"no-store", "no-cache", "private"} {
		if _, declared := directives[name]; declared {
			answer.ttl = 0
		}
	}
	answer.ttl = max(answer.ttl, p.MinTTL)
	answer.stale, _ = seconds("stale-if-error")
}
