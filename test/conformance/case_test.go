package conformance

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/uuid"
)

// A conformanceCase tests one documented behaviour.
type conformanceCase struct {
	name string
	doc  string // the page of AWS's documentation that describes it
	test func(t *T)
}

// A difference says what moto's server does instead of the documented behaviour of a case.
type difference string

// check runs the cases in parallel, each as a subtest. A case that knownDifferences lists must fail
// on moto's server, so that the list stays true.
func check(t *testing.T, cases []conformanceCase) {
	t.Helper()
	t.Parallel()
	for name := range knownDifferences[t.Name()] {
		if !slices.ContainsFunc(cases, func(c conformanceCase) bool { return c.name == name }) {
			t.Errorf("knownDifferences lists the case %q, which does not exist", name)
		}
	}
	for _, c := range cases {
		known, isKnown := knownDifferences[t.Name()][c.name]
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !endpoint.moto || !isKnown {
				c.test(&T{T: t, doc: c.doc})
				return
			}
			c.test(&T{T: t, doc: c.doc, known: known})
			t.Errorf("the endpoint conforms: remove the case from knownDifferences, which says %q", known)
		})
	}
}

// T is the testing.T of a case. A failure names the page of AWS's documentation. A failure of a
// known difference skips the case.
type T struct {
	*testing.T
	doc   string
	known difference // "" if the case must pass
}

// Errorf fails the case, or skips it if it is a known difference.
func (t *T) Errorf(format string, args ...any) {
	t.Helper()
	t.skipKnown(format, args...)
	t.T.Errorf("%s\n%s", fmt.Sprintf(format, args...), t.doc)
}

// Fatalf fails and ends the case, or skips it if it is a known difference.
func (t *T) Fatalf(format string, args ...any) {
	t.Helper()
	t.skipKnown(format, args...)
	t.T.Fatalf("%s\n%s", fmt.Sprintf(format, args...), t.doc)
}

func (t *T) skipKnown(format string, args ...any) {
	t.Helper()
	if t.known != "" {
		t.Skipf("known difference: %s\n%s\n%s", t.known, fmt.Sprintf(format, args...), t.doc)
	}
}

// ok fails and ends the case if there is an error.
func (t *T) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v, want none", err)
	}
}

// refused checks that the error is an API error with one of the codes.
func (t *T) refused(err error, codes ...string) {
	t.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Fatalf("got error %v, want an API error with one of the codes %q", err, codes)
	}
	if !slices.Contains(codes, refusal.ErrorCode()) {
		t.Errorf("got code %q (%s), want one of %q", refusal.ErrorCode(), refusal.ErrorMessage(), codes)
	}
}

// eventually waits until the condition holds. It fails the case after 2 minutes, far longer than a
// slow machine needs.
func (t *T) eventually(what string, condition func() bool) {
	t.Helper()
	const limit, pause = 2 * time.Minute, 50 * time.Millisecond
	for deadline := time.Now().Add(limit); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain until %s", limit, what)
		}
		select {
		case <-time.After(pause):
		case <-t.Context().Done():
			t.Fatalf("the case ended before %s: %v", what, t.Context().Err())
		}
	}
}

// unique returns a name for a resource that no other resource of the endpoint has.
func unique(kind string) string { return "conformance-" + kind + "-" + uuid.NewString() }
