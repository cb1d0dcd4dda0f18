package awsapi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// gatekeeper knows two callers and their missing permissions.
type gatekeeper struct{ asked []Permission }

var (
	permanent = Credentials{AccessKeyID: "AKIAPERMANENT", SecretAccessKey: "p"}
	temporary = Credentials{AccessKeyID: "ASIATEMPORARY", SecretAccessKey: "t", SessionToken: "token"}
)

func (g *gatekeeper) Credentials(accessKeyID string) (Credentials, bool) {
	for _, c := range []Credentials{permanent, temporary} {
		if c.AccessKeyID == accessKeyID {
			return c, true
		}
	}
	return Credentials{}, false
}

func (g *gatekeeper) Authorize(accessKeyID string, p Permission) error {
	g.asked = append(g.asked, p)
	if strings.HasSuffix(p.Resource, "forbidden") {
		return errors.New("User: " + accessKeyID + " is not authorized to perform: " + p.Action)
	}
	return nil
}

func newGuardedHandler(g *gatekeeper) *Handler {
	authorization := &Authorization{
		Permissions: func(operation string, decode func(any) error) ([]Permission, error) {
			var in struct{ Name string }
			if err := decode(&in); err != nil {
				return nil, err
			}
			action := "greet:" + operation
			return []Permission{{Action: action, Resource: "first"}, {Action: action, Resource: in.Name}}, nil
		},
		Denied: Error{Status: http.StatusForbidden, Code: "NoEntryException", QueryCode: "NoEntry"},
	}
	open, _ := newTestHandler()
	var services []Service
	for _, s := range open.services {
		s.Authorization = authorization
		services = append(services, s)
	}
	return NewAuthorizedHandler(slog.New(slog.DiscardHandler), "eu-west-1", g, services...)
}

// sign signs a request as the SDK does.
func sign(t *testing.T, r *http.Request, c Credentials, service string, payload string) *http.Request {
	t.Helper()
	r.Header.Del("Authorization")
	if payload == "" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		payload = hash(string(body))
	}
	err := v4.NewSigner().SignHTTP(t.Context(), awsCredentials(c), r, payload, service, "eu-west-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func awsCredentials(c Credentials) aws.Credentials {
	return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
}

func hash(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

const hello = `{"Name":"you","Times":1}`

func TestSignedRequestsAreAnswered(t *testing.T) {
	with := func(r *http.Request, header, value string) *http.Request {
		r.Header.Set(header, value)
		return r
	}
	for name, r := range map[string]*http.Request{
		"JSON": sign(t, jsonRequest("plain.Greet", hello), permanent, "plain", ""),
		"query": sign(t, formRequest("Action=Greet&Version=2010-03-31&Name=you&Times=1"), permanent,
			"query", ""),
		"a session": sign(t, jsonRequest("plain.Greet", hello), temporary, "plain", ""),
		"a declared payload": sign(t,
			with(jsonRequest("plain.Greet", hello), "X-Amz-Content-Sha256", hash(hello)), permanent, "plain", ""),
		"a header without x-amz": with(sign(t, jsonRequest("plain.Greet", hello), permanent, "plain", ""),
			"User-Agent", "aws-cli"),
		"spaces in a header": sign(t,
			with(jsonRequest("plain.Greet", hello), "Amz-Sdk-Request", "attempt=1;   max=3"), permanent, "plain", ""),
		"a path and a query":       sign(t, httptestRequest("/a%20b/c?z=1&a=%2F", hello), permanent, "plain", ""),
		"without a content-length": sign(t, withoutLength(jsonRequest("plain.Greet", hello)), permanent, "plain", ""),
	} {
		t.Run(name, func(t *testing.T) {
			if r.ContentLength < 0 {
				r.ContentLength = int64(len(hello)) // as the server sees it
			}
			w := httptest.NewRecorder()
			newGuardedHandler(&gatekeeper{}).ServeHTTP(w, r)
			if w.Code != 200 || !strings.Contains(w.Body.String(), "hello you") {
				t.Errorf("got %d %s, want 200 hello you", w.Code, w.Body)
			}
		})
	}
}

func httptestRequest(target, body string) *http.Request {
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "plain.Greet")
	return r
}

func withoutLength(r *http.Request) *http.Request {
	r.ContentLength = -1
	return r
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
func TestRequestsThatAreNotSignedWellAreRefused(t *testing.T) {
	wrong := func(c Credentials, change func(*Credentials)) Credentials {
		change(&c)
		return c
	}
	const (
		invalid  = "The security token included in the request is invalid"
		mismatch = "The request signature we calculated does not match"
	)
	for _, c := range []struct {
		name    string
		as      Credentials
		service string
		change  func(*http.Request)
		code    string // in the JSON protocol
		query   string // in the query protocol
		message string
	}{
		{"unsigned", permanent, "", func(r *http.Request) { r.Header.Del("Authorization") },
			"MissingAuthenticationTokenException", "MissingAuthenticationToken", "missing Authentication Token"},
		{"another scheme", permanent, "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
			"IncompleteSignatureException", "IncompleteSignature", "'Credential'"},
		{"without a part", permanent, "", func(r *http.Request) {
			a, _, _ := strings.Cut(r.Header.Get("Authorization"), ", Signature")
			r.Header.Set("Authorization", a)
		}, "IncompleteSignatureException", "IncompleteSignature", "'Signature'"},
		{"presigned", permanent, "", func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=00" },
			"IncompleteSignatureException", "IncompleteSignature", "presigned"},
		{"without a date", permanent, "", func(r *http.Request) { r.Header.Del("X-Amz-Date") },
			"IncompleteSignatureException", "IncompleteSignature", "X-Amz-Date"},
		{"an unknown key", wrong(permanent, func(c *Credentials) { c.AccessKeyID = "AKIANOBODY" }), "", nil,
			"UnrecognizedClientException", "InvalidClientTokenId", invalid},
		{"a session without its token", wrong(temporary, func(c *Credentials) { c.SessionToken = "" }), "", nil,
			"UnrecognizedClientException", "InvalidClientTokenId", invalid},
		{"a session with another token", wrong(temporary, func(c *Credentials) { c.SessionToken = "x" }), "", nil,
			"UnrecognizedClientException", "InvalidClientTokenId", invalid},
		{"a person with a token", wrong(permanent, func(c *Credentials) { c.SessionToken = "x" }), "", nil,
			"UnrecognizedClientException", "InvalidClientTokenId", invalid},
		{"a wrong secret", wrong(permanent, func(c *Credentials) { c.SecretAccessKey = "x" }), "", nil,
			"InvalidSignatureException", "SignatureDoesNotMatch", mismatch},
		{"for another service", permanent, "dynamodb", nil, "InvalidSignatureException", "SignatureDoesNotMatch",
			"correct service"},
		{"another body", permanent, "", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(hello + " ")) },
			"InvalidSignatureException", "SignatureDoesNotMatch", mismatch},
		{"another declared payload", permanent, "",
			func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", hash("x")) }, "InvalidSignatureException",
			"SignatureDoesNotMatch", "'x-amz-content-sha256' must be"},
		{"another host", permanent, "", func(r *http.Request) { r.Host = "elsewhere" }, "InvalidSignatureException",
			"SignatureDoesNotMatch", mismatch},
		{"another path", permanent, "", func(r *http.Request) { r.URL.Path = "/elsewhere" },
			"InvalidSignatureException", "SignatureDoesNotMatch", mismatch},
		{"another signed header", permanent, "", func(r *http.Request) { r.Header.Set("Amz-Sdk-Request", "attempt=2") },
			"InvalidSignatureException", "SignatureDoesNotMatch", mismatch},
		{"another time", permanent, "", func(r *http.Request) {
			r.Header.Set("X-Amz-Date", time.Now().Add(time.Second).UTC().Format(dateFormat))
		}, "InvalidSignatureException", "SignatureDoesNotMatch", mismatch},
		{"an x-amz header that is not signed", permanent, "", func(r *http.Request) { r.Header.Set("X-Amz-More", "x") },
			"InvalidSignatureException", "SignatureDoesNotMatch", "'x-amz-more' must be a 'SignedHeader'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, p := range []struct {
				service string
				request *http.Request
				status  int
				want    []string
				header  string
			}{
				{"plain", jsonRequest("plain.Greet", hello), 400, []string{`"__type":"` + c.code + `"`}, ""},
				{"compatible", jsonRequest("AmazonCompatible.Greet", hello), 403, []string{`#` + c.code + `"`},
					c.query + ";Sender"},
				{"query", formRequest("Action=Greet&Version=2010-03-31&Name=you&Times=1"), 403,
					[]string{"<Code>" + c.query + "</Code>"}, ""},
			} {
				service := p.service
				if c.service != "" {
					service = c.service
				}
				if p.service == "query" && c.name == "another body" {
					continue // it would be another operation
				}
				p.request.Header.Set("Amz-Sdk-Request", "attempt=1")
				r := sign(t, p.request, c.as, service, "")
				if c.change != nil {
					c.change(r)
				}
				g := &gatekeeper{}
				w := httptest.NewRecorder()
				newGuardedHandler(g).ServeHTTP(w, r)
				if w.Code != p.status || len(g.asked) > 0 || w.Header().Get("X-Amzn-Query-Error") != p.header {
					t.Errorf("%s: got %d, header %q, asked for %v; want %d, %q, nothing", p.service, w.Code,
						w.Header().Get("X-Amzn-Query-Error"), g.asked, p.status, p.header)
				}
				for _, part := range append(p.want, xmlText(p.service, c.message)) {
					if !strings.Contains(w.Body.String(), part) {
						t.Errorf("%s: got %s, want …%s…", p.service, w.Body, part)
					}
				}
			}
		})
	}
}

// Only S3 accepts UNSIGNED-PAYLOAD.
func TestAnUnsignedPayloadIsRefused(t *testing.T) {
	for service, r := range map[string]*http.Request{
		"plain":      jsonRequest("plain.Greet", hello),
		"compatible": jsonRequest("AmazonCompatible.Greet", hello),
		"query":      formRequest("Action=Greet&Version=2010-03-31&Name=you&Times=1"),
	} {
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		g := &gatekeeper{}
		w := httptest.NewRecorder()
		newGuardedHandler(g).ServeHTTP(w, sign(t, r, permanent, service, "UNSIGNED-PAYLOAD"))
		want := xmlText(service, "The provided 'x-amz-content-sha256' header does not match what was computed.")
		if w.Code < 400 || len(g.asked) > 0 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, asked for %v; want a refusal with %q", service, w.Code, w.Body, g.asked, want)
		}
	}
}

// xmlText formats a text in the protocol of a service.
func xmlText(service, text string) string {
	if service == "query" {
		return strings.ReplaceAll(text, "'", "&#39;")
	}
	return text
}

func TestSignatureIsGoodForAQuarterOfAnHour(t *testing.T) {
	for _, c := range []struct {
		by   time.Duration // the delay of the request
		want string        // "" means success
	}{
		{0, ""},
		{15 * time.Minute, ""},
		{15*time.Minute + time.Second,
			"Signature expired: 20000101T000000Z is now earlier than 20000101T000001Z (20000101T001501Z - 15 min.)"},
		{-15 * time.Minute, ""},
		{-15*time.Minute - time.Second,
			"Signature not yet current: 20000101T001501Z is still later than 20000101T001500Z (20000101T000000Z + 15 " +
				"min.)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := jsonRequest("plain.Greet", hello)
			if c.by >= 0 {
				r = sign(t, r, permanent, "plain", "")
				time.Sleep(c.by)
			} else {
				early := time.Now().Add(-c.by)
				r.Header.Del("Authorization")
				if err := v4.NewSigner().SignHTTP(t.Context(), awsCredentials(permanent), r, hash(hello), "plain",
					"eu-west-1", early); err != nil {
					t.Fatal(err)
				}
			}
			w := httptest.NewRecorder()
			newGuardedHandler(&gatekeeper{}).ServeHTTP(w, r)
			if c.want == "" && w.Code != 200 ||
				c.want != "" && (w.Code != 400 || !strings.Contains(w.Body.String(), c.want)) {
				t.Errorf("%v late: got %d %s, want %q", c.by, w.Code, w.Body, c.want)
			}
		})
	}
}

func TestPermissionsAreAskedForBeforeTheOperationRuns(t *testing.T) {
	g := &gatekeeper{}
	w := httptest.NewRecorder()
	newGuardedHandler(g).ServeHTTP(w,
		sign(t, jsonRequest("plain.Greet", `{"Name":"forbidden","Times":1}`), permanent, "plain", ""))
	const want = `{"__type":"NoEntryException","message":"User: AKIAPERMANENT is not authorized to perform: greet:` +
		`Greet"}`
	if w.Code != 403 || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("got %d %s, want 403 %s", w.Code, w.Body, want)
	}
	if len(g.asked) != 2 || g.asked[1] != (Permission{Action: "greet:Greet", Resource: "forbidden"}) {
		t.Errorf("asked for %v, want both permissions of the operation", g.asked)
	}

	w = httptest.NewRecorder()
	newGuardedHandler(g).ServeHTTP(w,
		sign(t, formRequest("Action=Greet&Version=2010-03-31&Name=forbidden"), permanent, "query", ""))
	if w.Code != 403 || !strings.Contains(w.Body.String(), "<Code>NoEntry</Code>") {
		t.Errorf("query: got %d %s, want 403 NoEntry", w.Code, w.Body)
	}
}

func TestServiceWithoutAuthorizationIsAMistake(t *testing.T) {
	defer func() {
		if message, _ := recover().(string); !strings.Contains(message, "service silent") {
			t.Errorf("got %q, want a panic that names the service", message)
		}
	}()
	NewAuthorizedHandler(slog.New(slog.DiscardHandler), "eu-west-1", &gatekeeper{}, Service{
		Name: "silent", Protocol: JSON("1.1", "silent"),
	})
}
