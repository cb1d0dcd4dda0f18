package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"restock/local/run"
)

func TestInvokeSendsTheEventAndPrintsTheAnswer(t *testing.T) {
	functionError := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(run.RegionHeader, "eu-west-1")
		if signature := r.Header.Get("Authorization"); signature == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		} else if !strings.Contains(signature, "/eu-west-1/lambda/") {
			t.Errorf("the request is signed with %s, want the run's region", signature)
		}
		event, _ := io.ReadAll(r.Body)
		if functionError != "" {
			w.Header().Set("X-Amz-Function-Error", functionError)
		}
		_, _ = io.WriteString(w, r.URL.Path+" "+string(event))
	}))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(`{"a": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"sweep"}, "/2015-03-31/functions/sweep/invocations {}\n"},
		{[]string{"-event", file, "stock"}, `/2015-03-31/functions/stock/invocations {"a": 1}` + "\n"},
	} {
		var out strings.Builder
		err := invoke(t.Context(), append([]string{"-aws", address}, c.args...), &out)
		if err != nil || out.String() != c.want {
			t.Errorf("%v: got %q, %v; want %q", c.args, out.String(), err, c.want)
		}
	}
	functionError = "Unhandled"
	if err := invoke(t.Context(), []string{"-aws", address, "sweep"}, io.Discard); err == nil ||
		!strings.Contains(err.Error(), "invoking sweep: it failed: ") {
		t.Errorf("a function that fails: got error %v, want its answer", err)
	}
	server.Close()
	if err := invoke(t.Context(), []string{"-aws", address, "sweep"}, io.Discard); err == nil ||
		!strings.Contains(err.Error(), "no run answers at "+address+": start one with make local") {
		t.Errorf("without a run: got error %v, want what to do", err)
	}
	err := invoke(t.Context(), []string{"-event", "nowhere.json", "sweep"}, io.Discard)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the event's file: got error %v, want %v", err, os.ErrNotExist)
	}
}
