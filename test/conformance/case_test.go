package conformance

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/uuid"
)

// A conformanceCase is one documented behaviour.
type conformanceCase struct {
	name string
	doc  string // the page of AWS's documentation that describes it
	test func(t *T)
}

// A difference is a case in which an endpoint is known not to behave as AWS does. The page that decides is the case's own.
type difference string

// check runs the cases in parallel, each as a subtest. The test's name and the case's, with a slash between them, are how
// knownDifferences names a case.
func check(t *testing.T, cases []conformanceCase) {
	t.Helper()
	t.Parallel()
	for _, c := range cases {
		id := t.Name() + "/" + c.name
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			known, isKnown := knownDifferences[id]
			if !endpoint.moto || !isKnown {
				c.test(&T{T: t, doc: c.doc})
				return
			}
			c.test(&T{T: t, doc: c.doc, known: known})
			t.Errorf("the endpoint conforms, and knownDifferences says that it does not (%s): remove the entry", known)
		})
	}
}

// T is a case's testing.T. A failure names the documentation that decides, and one that is known ends the case as skipped.
type T struct {
	*testing.T
	doc   string
	known difference // "" if none is
}

// Errorf fails the case, or ends it as a known difference.
func (t *T) Errorf(format string, args ...any) {
	t.Helper()
	t.skipKnown(format, args...)
	t.T.Errorf("%s\n%s", fmt.Sprintf(format, args...), t.doc)
}

// Fatalf ends the case, failed or as a known difference.
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

// ok ends the case if there is an error.
func (t *T) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v, want none", err)
	}
}

// refused checks that the error is AWS's of one of the codes.
func (t *T) refused(err error, codes ...string) {
	t.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Fatalf("got error %v, want one of code %q", err, codes)
	}
	for _, code := range codes {
		if refusal.ErrorCode() == code {
			return
		}
	}
	t.Errorf("got code %q (%s), want %q", refusal.ErrorCode(), refusal.ErrorMessage(), codes)
}

// eventually waits until the condition holds, and fails the case if it does not within a time that no
// endpoint needs, however busy its machine is.
func (t *T) eventually(what string, condition func() bool) {
	t.Helper()
	const patience, pause = 2 * time.Minute, 50 * time.Millisecond
	for deadline := time.Now().Add(patience); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not so within %v", what, patience)
		}
		select {
		case <-time.After(pause):
		case <-t.Context().Done():
			t.Fatalf("%s: %v", what, t.Context().Err())
		}
	}
}

// unique is a name that nothing else at the endpoint has.
func unique(kind string) string { return "conformance-" + kind + "-" + uuid.NewString() }
