package awsapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// FuzzParseSignature checks that a complete signature has all its parts, and that it parses to the
// same parts when it is formatted again.
func FuzzParseSignature(f *testing.F) {
	f.Add(authorization)
	f.Add("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request,SignedHeaders=;,Signature==")
	f.Add("AWS4-HMAC-SHA256Credential=a/b/c/d/aws4_request,Credential=/b//d/aws4_request,SignedHeaders=a,Signature=b," +
		"Signature=")
	f.Add("AWS4-HMAC-SHA256 Credential=a/b/c/d/e/aws4_request, SignedHeaders=host, Signature=0")
	f.Fuzz(func(t *testing.T, header string) {
		s, ok := parseSignature(header)
		if !ok {
			return
		}
		if s.accessKeyID == "" || s.value == "" || s.signedHeaders == nil {
			t.Errorf("parseSignature(%q) = %+v, whole", header, s)
		}
		written := algorithm + " Credential=" +
			strings.Join([]string{s.accessKeyID, s.date, s.region, s.service, "aws4_request"}, "/") +
			", SignedHeaders=" + strings.Join(s.signedHeaders, ";") + ", Signature=" + s.value
		if again, ok := parseSignature(written); !ok || !reflect.DeepEqual(again, s) {
			t.Errorf("parseSignature(%q) = %+v, and of what that is written as %+v, %v", header, s, again, ok)
		}
	})
}

// FuzzAuthenticate checks that no part of a signed request that the signature covers can be
// changed.
func FuzzAuthenticate(f *testing.F) {
	const path, query, body = "/path", "a=b", "Action=Greet"
	type changed struct{ method, path, query, body, name, value string }
	header := func(r *http.Request) string { return r.Header.Get("Authorization") }
	signed := func(tb testing.TB) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:4566"+path+"?"+query, strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "plain.Greet")
		if err := v4.NewSigner().SignHTTP(tb.Context(), awsCredentials(temporary), r, hash(body), "plain", "eu-west-1",
			time.Now()); err != nil {
			tb.Fatal(err)
		}
		return r
	}
	good := signed(f)
	for _, c := range []changed{
		{good.Method, path, query, body, "", ""},
		{"GET", path, query, body, "", ""}, {good.Method, "/p%61th", query, body, "", ""},
		{good.Method, "/path/", query, body, "", ""}, {good.Method, path, "a=b&a=c", body, "", ""},
		{good.Method, path, query, body + "&x", "", ""},
		{good.Method, path, query, body, "X-Amz-Target", "plain.Other"},
		{good.Method, path, query, body, "X-Amz-Security-Token", ""},
		{good.Method, path, query, body, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"},
		{good.Method, path, query, body, "x-amz-more", "1"},
		{good.Method, path, "a=b&X-Amz-Signature=0", body, "", ""},
		{good.Method, path, query, body, "Authorization", header(good)[:len(header(good))-1]},
		{good.Method, path, query, body, "Authorization",
			strings.Replace(header(good), "eu-west-1", "eu-west-2", 1)},
		{good.Method, path, query, body, "Authorization",
			strings.Replace(header(good), temporary.AccessKeyID, permanent.AccessKeyID, 1)},
		{good.Method, path, query, body, "Authorization", strings.Replace(header(good), "host;", "", 1)},
		{good.Method, path, query, body, "Authorization", strings.Replace(header(good), "/20", "/19", 1)},
	} {
		f.Add(c.method, c.path, c.query, c.body, c.name, c.value)
	}
	f.Fuzz(func(t *testing.T, method, path, query, body, name, value string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || !token(method) || name != "" && !token(name) {
			return // not a valid request
		}
		r := signed(t)
		was := r.Clone(t.Context())
		r.Method, r.URL.Path, r.URL.RawPath, r.URL.RawQuery = method, u.Path, u.RawPath, query
		if name != "" {
			r.Header.Set(name, value)
		}
		id, err := Authenticate(r, []byte(body), Scope{Service: "plain", Region: "eu-west-1"},
			(&gatekeeper{}).Credentials)
		if err != nil {
			if id != "" {
				t.Errorf("refused, and it is %s: %v", id, err)
			}
			return
		}
		s, _ := parseSignature(header(r))
		original, _ := parseSignature(header(was))
		sameSignature := s.accessKeyID == original.accessKeyID && s.date == original.date &&
			s.region == original.region && s.service == original.service && s.value == original.value
		if id != temporary.AccessKeyID || !sameSignature || method != was.Method ||
			r.URL.EscapedPath() != was.URL.EscapedPath() || !sameQuery(query, was.URL.RawQuery) ||
			body != "Action=Greet" {
			t.Errorf("%s %s?%q %q with %s: %q is taken for what %s signed", method, path, query, body, name, value, id)
		}
		for covered := range was.Header {
			if covered != "Authorization" &&
				strings.Join(strings.Fields(r.Header.Get(covered)), " ") != was.Header.Get(covered) {
				t.Errorf("the header %s: %q is taken for %q", covered, r.Header.Get(covered), was.Header.Get(covered))
			}
		}
	})
}

// token reports whether a text may be a method or a header's name.
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s,
		func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) })
}

// sameQuery reports whether two queries have the same parameters in any order: a signature covers
// the sorted parameters.
func sameQuery(a, b string) bool {
	parse := func(query string) url.Values {
		values, _ := url.ParseQuery(query)
		for _, v := range values {
			slices.Sort(v)
		}
		return values
	}
	return reflect.DeepEqual(parse(a), parse(b))
}
