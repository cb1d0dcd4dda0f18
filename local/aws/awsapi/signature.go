package awsapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// signature is what a request's Authorization header says:
//
//	AWS4-HMAC-SHA256 Credential=<key id>/<date>/<region>/<service>/aws4_request,
//	SignedHeaders=<a;b>, Signature=<hex>
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signature struct {
	accessKeyID, date, region, service string
	signedHeaders                      []string // in lower case
	value                              string
}

const algorithm = "AWS4-HMAC-SHA256"

// parseSignature parses an Authorization header. ok is false if a part is missing; the other parts
// are set.
func parseSignature(authorization string) (s signature, ok bool) {
	parameters, isV4 := strings.CutPrefix(authorization, algorithm)
	for parameter := range strings.SplitSeq(parameters, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		switch name {
		case "Credential":
			if parts := strings.Split(value, "/"); len(parts) == 5 && parts[4] == "aws4_request" {
				s.accessKeyID, s.date, s.region, s.service = parts[0], parts[1], parts[2], parts[3]
			}
		case "SignedHeaders":
			s.signedHeaders = strings.Split(value, ";")
		case "Signature":
			s.value = value
		}
	}
	return s, isV4 && s.accessKeyID != "" && s.signedHeaders != nil && s.value != ""
}

// unsignedPayloads are the values that S3 accepts in place of the hash of the body. The SDKs send
// the second one with a checksum after the body.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
var unsignedPayloads = []string{"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}

// maxSkew limits the difference between a signature's time and the current time.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
const (
	maxSkew    = 15 * time.Minute
	dateFormat = "20060102T150405Z"
)

// authenticationFailure is the reason why a signature is refused. The JSON protocols and the query
// protocol have different codes for it:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
// https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
type authenticationFailure struct{ code, queryCode, message string }

func notSigned() *authenticationFailure {
	return &authenticationFailure{"MissingAuthenticationTokenException", "MissingAuthenticationToken",
		"Request is missing Authentication Token. In the local run a person's access key is local, and its secret " +
			"local."}
}

func incompleteSignature(message string) *authenticationFailure {
	return &authenticationFailure{"IncompleteSignatureException", "IncompleteSignature", message}
}

func unknownToken() *authenticationFailure {
	return &authenticationFailure{"UnrecognizedClientException", "InvalidClientTokenId",
		"The security token included in the request is invalid. In the local run a person's access key is local, its " +
			"secret local, and there is no session token."}
}

func wrongSignature(message string) *authenticationFailure {
	return &authenticationFailure{"InvalidSignatureException", "SignatureDoesNotMatch", message}
}

const signatureDoesNotMatch = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// Error describes the failure without a protocol's code.
func (f *authenticationFailure) Error() string { return f.message }

// A Scope is the service and the region of a signature.
type Scope struct{ Service, Region string }

// Authenticate verifies that a request is signed for a scope with the credentials of its access
// key, and returns the access key. The request's body has been read already. An error has AWS's
// text.
func Authenticate(r *http.Request, body []byte, scope Scope,
	credentials func(accessKeyID string) (c Credentials, ok bool)) (accessKeyID string, err error) {
	s, signed := parseSignature(r.Header.Get("Authorization"))
	if failure := authenticate(r, body, s, signed, scope, credentials); failure != nil {
		return "", failure
	}
	return s.accessKeyID, nil
}

// authenticate verifies a signature; signed tells whether it is complete. It signs the request
// again with the SDK's signer: a request with the same signed headers has the same signature.
func authenticate(r *http.Request, body []byte, s signature, signed bool, scope Scope,
	credentialsOf func(string) (Credentials, bool)) *authenticationFailure {
	if r.URL.Query().Has("X-Amz-Signature") {
		return incompleteSignature("The local run takes no presigned requests: sign the headers.")
	}
	if r.Header.Get("Authorization") == "" {
		return notSigned()
	}
	if !signed {
		return incompleteSignature("Authorization header requires '" + algorithm +
			"' with 'Credential', 'SignedHeaders' and 'Signature' parameters.")
	}
	signedAt, err := time.Parse(dateFormat, r.Header.Get("X-Amz-Date"))
	if err != nil {
		return incompleteSignature("Authorization header requires existence of a 'X-Amz-Date' header, written as " +
			dateFormat + ".")
	}
	credentials, ok := credentialsOf(s.accessKeyID)
	if !ok || !same(r.Header.Get("X-Amz-Security-Token"), credentials.SessionToken) {
		return unknownToken()
	}
	if failure := checkSkew(signedAt, time.Now()); failure != nil {
		return failure
	}
	if day := signedAt.Format("20060102"); s.date != day {
		return wrongSignature(
			fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
				"'%s' != '%s', from '%s'.",
				s.date, day, signedAt.Format(dateFormat)))
	}
	if s.service != scope.Service {
		return wrongSignature(fmt.Sprintf("Credential should be scoped to correct service: '%s'.", scope.Service))
	}
	if s.region != scope.Region {
		return wrongSignature(fmt.Sprintf("Credential should be scoped to a valid region, not '%s'. The local run is "+
			"in %s.", s.region, scope.Region))
	}
	for name := range r.Header {
		if name := strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.signedHeaders, name) {
			return wrongSignature(fmt.Sprintf("'%s' must be a 'SignedHeader' in the AWS Authorization.", name))
		}
	}
	// The signature covers the hash of the body for every service. Amazon S3 alone accepts
	// UNSIGNED-PAYLOAD instead, with which a man in the middle could replace the body.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
	// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
	hash := sha256.Sum256(body)
	payload := hex.EncodeToString(hash[:])
	isS3 := scope.Service == "s3"
	switch header := r.Header.Get("X-Amz-Content-Sha256"); {
	case header == "" && !isS3, header == payload:
	case isS3 && slices.Contains(unsignedPayloads, header):
		payload = header
	default:
		return wrongSignature("The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	again := signedPart(r, s.signedHeaders)
	// The SDK's signer caches a derived key for each region, and callers choose the region. A new
	// signer for each request prevents that the cache grows without limit.
	// S3 alone does not escape the path a second time.
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = isS3 })
	err = signer.SignHTTP(context.Background(), aws.Credentials{
		AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey,
		SessionToken: credentials.SessionToken,
	}, again, payload, s.service, s.region, signedAt)
	if err != nil {
		return wrongSignature(signatureDoesNotMatch)
	}
	if want, _ := parseSignature(again.Header.Get("Authorization")); !same(s.value, want.value) {
		return wrongSignature(signatureDoesNotMatch)
	}
	return nil
}

// signedPart returns a request with only the parts that the signature covers.
func signedPart(r *http.Request, signedHeaders []string) *http.Request {
	part := &http.Request{Method: r.Method, URL: r.URL, Host: r.Host, Header: http.Header{}}
	part = part.Clone(context.Background()) // the signer changes the URL
	for _, name := range signedHeaders {
		switch name {
		case "host": // the signer sets it
		case "content-length":
			part.ContentLength = r.ContentLength
		default:
			part.Header[http.CanonicalHeaderKey(name)] = slices.Clone(r.Header.Values(name))
		}
	}
	return part
}

func checkSkew(signedAt, now time.Time) *authenticationFailure {
	write := func(t time.Time) string { return t.UTC().Format(dateFormat) }
	switch skew := now.Sub(signedAt); {
	case skew > maxSkew:
		return wrongSignature(fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %d min.)",
			write(signedAt), write(now.Add(-maxSkew)), write(now), int(maxSkew.Minutes())))
	case skew < -maxSkew:
		return wrongSignature(fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %d min.)",
			write(signedAt), write(now.Add(maxSkew)), write(now), int(maxSkew.Minutes())))
	}
	return nil
}

// same compares in constant time, so that the duration reveals nothing.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
