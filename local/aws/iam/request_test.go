package iam_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"restock/local/aws/awsapi"
	"restock/local/aws/iam"
)

const routeARN = "arn:aws:execute-api:" + region + ":" + account + ":shop/$default/POST/merchant/products"

func TestSignedRequestIsJudgedByTheSignersPolicies(t *testing.T) {
	a, _ := newAuthority(t, stack(t, rolePolicy(t, allow("execute-api:Invoke", routeARN))))
	instance, release := a.Issue(roleARN, "stock")
	defer release()
	wrongSecret, withoutToken := instance, instance
	wrongSecret.SecretAccessKey, withoutToken.SessionToken = "x", ""
	other := strings.Replace(routeARN, "POST", "GET", 1)

	for _, c := range []struct {
		name            string
		signer          awsapi.Credentials // an empty key means unsigned
		service, region string
		sent, resource  string
		refusal         string // "" means none
	}{
		{"a person", iam.Person, "execute-api", region, "{}", routeARN, ""},
		{"a role that may", instance, "execute-api", region, "{}", routeARN, ""},
		{"a role that may not", instance, "execute-api", region, "{}", other,
			"execute-api:Invoke on resource: " + other + " because no identity-based policy"},
		{"nobody", awsapi.Credentials{}, "execute-api", region, "{}", routeARN,
			"Request is missing Authentication Token"},
		{"an unknown key", awsapi.Credentials{AccessKeyID: "AKIANOBODY", SecretAccessKey: "x"}, "execute-api", region,
			"{}", routeARN, "security token"},
		{"a wrong secret", wrongSecret, "execute-api", region, "{}", routeARN, "does not match"},
		{"no session token", withoutToken, "execute-api", region, "{}", routeARN, "security token"},
		{"another service", iam.Person, "sqs", region, "{}", routeARN, "correct service: 'execute-api'"},
		{"another region", iam.Person, "execute-api", "us-east-1", "{}", routeARN, "valid region, not 'us-east-1'"},
		{"another body than the signed one", iam.Person, "execute-api", region, `{"price":0}`, routeARN,
			"does not match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/merchant/products?limit=5&before=a%20b",
				nil)
			if c.signer.AccessKeyID != "" {
				hash := sha256.Sum256([]byte("{}"))
				signer := aws.Credentials{AccessKeyID: c.signer.AccessKeyID, SecretAccessKey: c.signer.SecretAccessKey,
					SessionToken: c.signer.SessionToken}
				if err := v4.NewSigner().SignHTTP(t.Context(), signer, r, hex.EncodeToString(hash[:]), c.service,
					c.region, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			scope := awsapi.Scope{Service: "execute-api", Region: region}
			err := a.AuthorizeRequest(r, []byte(c.sent), scope, awsapi.Permission{
				Action: "execute-api:Invoke", Resource: c.resource,
			})
			if c.refusal == "" && err != nil ||
				c.refusal != "" && (err == nil || !strings.Contains(err.Error(), c.refusal)) {
				t.Errorf("got %v, want a refusal that says %q", err, c.refusal)
			}
		})
	}
}

// API Gateway, like every service except S3, refuses a signature that does not cover the body.
func TestAnUnsignedPayloadIsRefused(t *testing.T) {
	a, _ := newAuthority(t, stack(t))
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/merchant/products", nil)
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	person := aws.Credentials{AccessKeyID: iam.Person.AccessKeyID, SecretAccessKey: iam.Person.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(t.Context(), person, r, "UNSIGNED-PAYLOAD", "execute-api", region,
		time.Now()); err != nil {
		t.Fatal(err)
	}
	err := a.AuthorizeRequest(r, []byte(`{"price":0}`), awsapi.Scope{Service: "execute-api", Region: region},
		awsapi.Permission{Action: "execute-api:Invoke", Resource: routeARN})
	if err == nil || !strings.Contains(err.Error(), "x-amz-content-sha256") {
		t.Errorf("got %v, want a refusal that names x-amz-content-sha256", err)
	}
}
