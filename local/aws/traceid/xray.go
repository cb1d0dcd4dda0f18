// Package traceid makes the identifiers of AWS X-Ray, by which a request is followed from service to service. Nothing is recorded here.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
package traceid

import (
	"crypto/rand"
	"fmt"
	"time"
)

// Root begins a tracing header, for a request that comes in at a time: "Root=1-<seconds since 1970>-<96 random bits>", in hexadecimal
// digits.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
func Root(now time.Time) string {
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	return fmt.Sprintf("Root=1-%08x-%x", now.Unix(), id)
}

// NotSampled is the tracing header of a request that comes in at a time, as a function gets it that is not traced.
func NotSampled(now time.Time) string {
	var segment [8]byte
	_, _ = rand.Read(segment[:]) // never fails
	return fmt.Sprintf("%s;Parent=%x;Sampled=0", Root(now), segment)
}
