package programs_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"restock/cmd/local/programs"
	"restock/infra/stack/stacktest/pinned"
	"restock/internal/shop"
	"restock/lambdas"
	"restock/test/await"
)

// A signature is the key and the scope that sign a request. The zero signature signs nothing.
type signature struct {
	key, secret, service, region string
}

// person is the signature of the developer who runs the stack.
var person = signature{"local", "local", "execute-api", pinned.Region}

// merchant sends a request. Its signature is for the body signed; the body that it sends may
// differ.
func (s *stack) merchant(tb testing.TB, by signature, method, path, signed, sent string) (status int, body string) {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), method, s.API+path, strings.NewReader(sent))
	if err != nil {
		tb.Fatal(err)
	}
	if by.key != "" {
		hash := sha256.Sum256([]byte(signed))
		credentials := aws.Credentials{AccessKeyID: by.key, SecretAccessKey: by.secret}
		err := v4.NewSigner().SignHTTP(tb.Context(), credentials, request, hex.EncodeToString(hash[:]),
			by.service, by.region, time.Now())
		if err != nil {
			tb.Fatal(err)
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestTheMerchantsRoutes(t *testing.T) {
	t.Parallel()
	s := start(t, config(t))
	t.Run("require a signature", s.requiresASignature)
	t.Run("work from the command line", s.worksFromTheCommandLine)
}

// HTTP APIs do not say why they refuse a request: they answer 403 {"message":"Forbidden"}, without
// a header x-amzn-errortype.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
func (s *stack) requiresASignature(t *testing.T) {
	const price = `{"price":1}`
	refused := func(what string, status int, body string) {
		t.Helper()
		if status != http.StatusForbidden || body != `{"message":"Forbidden"}` {
			t.Errorf("%s: got %d %s, want 403 Forbidden", what, status, body)
		}
	}
	for _, route := range lambdas.MerchantAPI.Routes {
		method, path, _ := strings.Cut(route, " ")
		status, body := s.merchant(t, signature{}, method, path, "", "")
		refused(route+", unsigned", status, body)
	}
	for what, c := range map[string]struct {
		by     signature
		signed string
	}{
		"an unknown key":  {signature{"AKIANOBODY", "local", "execute-api", pinned.Region}, price},
		"a wrong secret":  {signature{"local", "remote", "execute-api", pinned.Region}, price},
		"another service": {signature{"local", "local", "sqs", pinned.Region}, price},
		"another region":  {signature{"local", "local", "execute-api", "us-east-1"}, price},
		"another body":    {person, `{"price":2}`},
	} {
		status, body := s.merchant(t, c.by, "PATCH", "/merchant/products/CP-502101", c.signed, price)
		refused(what, status, body)
	}
	if price := s.number(t, `SELECT price FROM product WHERE sku = 'CP-502101'`); price != 19900 {
		t.Errorf("the price is %d, want the old price", price)
	}
	status, body := s.merchant(t, person, "PATCH", "/merchant/products/CP-502101", price, price)
	if status != 200 || !strings.Contains(body, `"price":1,`) {
		t.Errorf("signed: got %d %s, want the new price", status, body)
	}
	status, body = s.merchant(t, person, "GET", "/merchant/production-orders?limit=5&status=open", "", "")
	if status != 200 || body != `{"production_orders":[]}`+"\n" {
		t.Errorf("signed, with parameters: got %d %s, want no orders", status, body)
	}
	const escaped = "/merchant/products/%EB%8F%84%EB%84%88%EC%B8%A0%20%25/ledger"
	status, body = s.merchant(t, person, "GET", escaped, "", "")
	if status != 404 || !strings.Contains(body, "unknown_product") {
		t.Errorf("signed, with an escaped path: got %d %s, want 404 unknown_product", status, body)
	}
}

// ready writes a file like the one of the run's flag -ready.
func (s *stack) ready(tb testing.TB) (path string) {
	tb.Helper()
	text, err := json.Marshal(s.Endpoints)
	if err != nil {
		tb.Fatal(err)
	}
	path = filepath.Join(tb.TempDir(), "ready.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// shop runs a command of the merchant's command line, and returns its output.
func (s *stack) shop(tb testing.TB, args ...string) (out string) {
	tb.Helper()
	program, err := filepath.Abs(filepath.Join(programs.DefaultConfig(projectDir).BuildDir, "shop")) // of TestMain
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(tb.Context(), program, args...)
	cmd.Dir = projectDir
	text, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("shop %v: %v\n%s", args, err, text)
	}
	return string(text)
}

func (s *stack) worksFromTheCommandLine(t *testing.T) {
	ready := s.ready(t)
	for _, c := range []struct {
		args string
		want string
	}{
		{"adjust CP-502101 -1 --reason damaged", "\nstock          2\n"},
		{"ledger CP-502101", "damaged\n"},
		{"open CP-502101 40", "\nquantity     40\n"},
		{"set CP-502101 --price 21000 --lead-time 2h", " " + shop.Currency + "\n"},
	} {
		if out := s.shop(t, append(strings.Fields(c.args), "--ready", ready)...); !strings.Contains(out, c.want) {
			t.Errorf("shop %s prints\n%s, want %q", c.args, out, c.want)
		}
	}
	if price := s.number(t, `SELECT price FROM product WHERE sku = 'CP-502101'`); price != 21000 {
		t.Errorf("the price is %d, want 21000", price)
	}
	await.Until(t, "the order opened by hand is delivered", func() bool { return s.number(t, donutStock) == 42 })
	if out := s.shop(t, "orders", "--ready", ready, "--status", "received"); strings.Count(out, " received ") != 1 {
		t.Errorf("the orders are\n%s, want one, received", out)
	}
}
