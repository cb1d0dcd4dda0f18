package iam_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"restock/infra/policy"
	"restock/local/aws/awsapi"
	"restock/local/aws/iam"
	localsecrets "restock/local/aws/secretsmanager"
	localsqs "restock/local/aws/sqs"
)

// endpoint is an AWS endpoint with an authority, a queue and two secrets.
type endpoint struct {
	url      string
	queueURL string
}

func newEndpoint(t *testing.T, a *iam.Authority) endpoint {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server := httptest.NewUnstartedServer(nil)
	e := endpoint{url: "http://" + server.Listener.Addr().String()}
	e.queueURL = e.url + "/" + account + "/stock_queue"

	queues := localsqs.New(localsqs.Config{BaseURL: e.url, Region: region, AccountID: account}, log)
	t.Cleanup(queues.Close)
	if _, err := queues.CreateQueue(localsqs.NewQueueConfig("stock_queue")); err != nil {
		t.Fatal(err)
	}
	secrets := localsecrets.New(localsecrets.Config{Region: region, AccountID: account}, log)
	t.Cleanup(secrets.Close)
	for name, arn := range map[string]string{"callback-key": secretARN, "database": otherARN} {
		if err := secrets.Create(localsecrets.SecretConfig{Name: name, ARN: arn, Value: "hush"}); err != nil {
			t.Fatal(err)
		}
	}
	queueAPI, secretAPI := queues.API(), secrets.API()
	queueAPI.Authorization, secretAPI.Authorization = queues.Authorization(), secrets.Authorization()
	server.Config.Handler = awsapi.NewAuthorizedHandler(log, region, a, queueAPI, secretAPI)
	server.Start()
	t.Cleanup(server.Close)
	return e
}

func (e endpoint) config(c awsapi.Credentials) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &e.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	}
}

func (e endpoint) send(t *testing.T, c awsapi.Credentials) error {
	_, err := sqs.NewFromConfig(e.config(c)).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &e.queueURL, MessageBody: aws.String("m"),
	})
	return err
}

func (e endpoint) receive(t *testing.T, c awsapi.Credentials) error {
	_, err := sqs.NewFromConfig(e.config(c)).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &e.queueURL,
	})
	return err
}

func (e endpoint) read(t *testing.T, c awsapi.Credentials, secret string) error {
	_, err := secretsmanager.NewFromConfig(e.config(c)).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{
		SecretId: &secret,
	})
	return err
}

func TestEndpointIsGuarded(t *testing.T) {
	a, _ := newAuthority(t, stack(t,
		rolePolicy(t, allow("sqs:SendMessage", queueARN), allow("sqs:ReceiveMessage", queueARN),
			allow("secretsmanager:GetSecretValue", secretARN)),
		queuePolicy(t,
			// calls in a run satisfy it, although they use plain HTTP
			policy.EncryptedOnly(queueARN, "sqs:SendMessage"),
			policy.Statement{Effect: "Deny", Principal: &policy.Principal{AWS: "*"},
				Action: []string{"sqs:ReceiveMessage"}, Resource: []string{queueARN}},
		),
	))
	e := newEndpoint(t, a)
	instance, release := a.Issue(roleARN, "stock")
	ended, end := a.Issue(roleARN, "stock")
	end()
	altered := func(change func(*awsapi.Credentials)) awsapi.Credentials {
		c := instance
		change(&c)
		return c
	}
	wrongSecret := altered(func(c *awsapi.Credentials) { c.SecretAccessKey = "x" })
	withoutToken := altered(func(c *awsapi.Credentials) { c.SessionToken = "" })
	nobody := awsapi.Credentials{AccessKeyID: "AKIANOBODY", SecretAccessKey: "x"}
	notPerson := awsapi.Credentials{AccessKeyID: "local", SecretAccessKey: "remote"}

	for _, c := range []struct {
		name   string
		err    error
		code   string // "" means success
		status int
		text   string
	}{
		{"a queue that the role may send to", e.send(t, instance), "", 0, ""},
		{"a secret that the role may read, by its ARN", e.read(t, instance, secretARN), "", 0, ""},
		{"by its name", e.read(t, instance, "callback-key"), "", 0, ""},
		{"by a part of its ARN", e.read(t, instance, strings.TrimSuffix(secretARN, "-AbCdEf")), "", 0, ""},
		{"another secret", e.read(t, instance, "database"), "AccessDeniedException", 400,
			"User: " + session + " is not authorized to perform: secretsmanager:GetSecretValue on resource: " +
				otherARN + " because no identity-based policy allows"},
		{"a secret that is not there", e.read(t, instance, "nothing"), "AccessDeniedException", 400,
			":secret:nothing-?????? because no identity-based policy allows"},
		{"an explicit deny of the queue", e.receive(t, instance), "AccessDenied", 403,
			queueARN + " with an explicit deny in a resource-based policy"},

		{"an unknown key, of a queue", e.send(t, nobody), "InvalidClientTokenId", 403, "security token"},
		{"an unknown key, of a secret", e.read(t, nobody, secretARN), "UnrecognizedClientException", 400,
			"security token"},
		{"an instance that has ended", e.send(t, ended), "InvalidClientTokenId", 403, "security token"},
		{"no session token", e.send(t, withoutToken), "InvalidClientTokenId", 403, "security token"},
		{"a wrong secret key, of a queue", e.send(t, wrongSecret), "SignatureDoesNotMatch", 403, "does not match"},
		{"a wrong secret key, of a secret", e.read(t, wrongSecret, secretARN), "InvalidSignatureException", 400,
			"does not match"},
		{"a person with a wrong secret key", e.send(t, notPerson), "SignatureDoesNotMatch", 403, "does not match"},

		{"a person who sends", e.send(t, iam.Person), "", 0, ""},
		{"a person who receives what the queue denies everybody", e.receive(t, iam.Person), "", 0, ""},
		{"a person who reads", e.read(t, iam.Person, "database"), "", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.code == "" {
				if c.err != nil {
					t.Errorf("got %v, want an answer", c.err)
				}
				return
			}
			var refused smithy.APIError
			var answer *smithyhttp.ResponseError
			if !errors.As(c.err, &refused) || !errors.As(c.err, &answer) {
				t.Fatalf("got %v, want a refusal", c.err)
			}
			if refused.ErrorCode() != c.code || answer.HTTPStatusCode() != c.status ||
				!strings.Contains(refused.ErrorMessage(), c.text) {
				t.Errorf("got %d %s: %s\nwant %d %s: …%s…", answer.HTTPStatusCode(), refused.ErrorCode(),
					refused.ErrorMessage(), c.status, c.code, c.text)
			}
		})
	}

	release()
	if err := e.send(t, instance); err == nil {
		t.Error("the instance has ended, and may still send")
	}
}

func TestUnsignedRequestIsRefused(t *testing.T) {
	a, _ := newAuthority(t, stack(t))
	e := newEndpoint(t, a)
	r, err := http.NewRequestWithContext(t.Context(), "POST", e.url, strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "secretsmanager.ListSecrets")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 400 ||
		!strings.Contains(string(body), "MissingAuthenticationTokenException") {
		t.Errorf("got %d %s, %v; want 400 MissingAuthenticationTokenException", answer.StatusCode, body, err)
	}
}
