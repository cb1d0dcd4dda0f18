// Package traceid makes AWS X-Ray identifiers, which link the log lines of a request across
// services. Nothing is recorded.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
package traceid

import (
	"crypto/rand"
	"fmt"
	"time"
)

// Root returns the beginning of a tracing header for a request that arrives at a time:
// "Root=1-<seconds since 1970>-<96 random bits>", in hexadecimal digits.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
func Root(now time.Time) string {
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	return fmt.Sprintf("Root=1-%08x-%x", now.Unix(), id)
}

// NotSampled returns the complete tracing header of a request whose function is not traced.
func NotSampled(now time.Time) string {
	var segment [8]byte
	_, _ = rand.Read(segment[:]) // never fails
	return fmt.Sprintf("%s;Parent=%x;Sampled=0", Root(now), segment)
}
