package webtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A recorder records the errors of a test.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestAnAnswerHasNoBodyThatIsNotDescribed(t *testing.T) {
	const id = "0199a2c4-5f00-7000-8000-000000000001"
	receipt := Request{
		Method: http.MethodPost, Body: "{}",
		Path:  "/production-orders/" + id + "/attempts/" + id + "/receipt",
		Query: "quantity=1&signature=00",
	}
	for body, want := range map[string]string{
		"": "", `{"received":1}`: `describes the answer 200 without a body, and it is {"received":1}`,
	} {
		r := &recorder{TB: t}
		checkDescribed(t.Context(), r, receipt, Answer{Status: http.StatusOK, Body: body})
		got := strings.Join(r.errors, "\n")
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("the body %q: got %q, want %q", body, got, want)
		}
	}
}
