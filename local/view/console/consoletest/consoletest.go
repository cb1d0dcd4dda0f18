// Package consoletest sends requests to a console in tests.
package consoletest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Do sends a request to the server at a URL, decodes the JSON of its answer, and returns the
// answer's status. A body that is not empty is JSON.
func Do(t testing.TB, server, method, path, body string, into any) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s %s got %s %s: %v", method, path, response.Status, text, err)
	}
	return response.StatusCode
}
