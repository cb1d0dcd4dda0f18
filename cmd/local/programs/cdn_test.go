package programs_test

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	declaration "restock/infra/stack"
	"restock/test/await"
)

// The run has a stand-in for CloudFront. It caches GET /products and passes purchases on.
func TestAStageWithACDNRuns(t *testing.T) {
	t.Parallel()
	c := config(t)
	declared, err := declaration.RecordAs("../../../infra/rules/testdata/cdn", "cdn", c.Stage)
	if err != nil {
		t.Fatal(err)
	}
	c.Edit = func(g *graph.Graph) {
		for _, r := range declared.Resources {
			if strings.Contains(r.URN, "::restock:cdn:") {
				g.Resources = append(g.Resources, r)
			}
		}
		slices.SortFunc(g.Resources, func(a, b *graph.Resource) int { return cmp.Compare(a.URN, b.URN) })
	}
	s := start(t, c)
	request := func(method, path string) (header http.Header, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.Endpoints.API+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK ||
			response.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
			t.Fatalf("%s %s: got %d %v %.100s, %v; want 200 with HSTS", method, path, response.StatusCode,
				response.Header, text, err)
		}
		return response.Header, string(text)
	}
	await.Until(t, "the cache answers GET /products", func() bool {
		header, _ := request(http.MethodGet, "/products?x=1")
		return header.Get("X-Cache") == "Hit from cloudfront"
	})
	_, first := request(http.MethodPost, "/checkout")
	header, second := request(http.MethodPost, "/checkout")
	if first == second || header.Get("X-Cache") != "Miss from cloudfront" {
		t.Errorf("two checkouts got %s and %s, want two sales", first, second)
	}
}
