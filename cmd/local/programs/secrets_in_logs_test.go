package programs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"restock/cmd/local/factory"
	"restock/lambdas/journal"
	"restock/local/view/console"
	"restock/local/view/events"
	"restock/test/await"
)

// signatureShown is a signature with its value, in a URL, in a URL that is part of another one, or in a header.
var signatureShown = regexp.MustCompile(`(?i)signature(=|%3d)[\w%+/-]+`)

func TestNoSecretIsLoggedOrShown(t *testing.T) {
	t.Parallel()
	said, told := &protocol{}, events.NewStream[events.Event](1<<16)
	c := config(t)
	c.Console = "127.0.0.1:0"
	c.Log = slog.New(slog.NewMultiHandler(
		slog.NewJSONHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug}), events.NewHandler(told, slog.LevelDebug)))
	s := start(t, c)
	everything := told.Subscribe(0)
	defer everything.Close()

	// The whole story: sold out, a refused buyer, a factory whose answer cannot be read, its delivery, a repeated, two forged
	// and a broken callback, a merchant, and a new password, which the functions then work with.
	if err := s.Run.Factory.SetFault(factory.Fault{Answer: factory.AnswerGarbage}); err != nil {
		t.Fatal(err)
	}
	if got := s.buy(t, 4, 1); got[http.StatusOK] != 3 || got[http.StatusConflict] != 1 {
		t.Fatalf("4 buyers of 3 got %v", got)
	}
	await.Until(t, "a failed request to the factory is logged",
		func() bool { return said.line(string(journal.RequestFailed)) != "" })
	await.Until(t, "the lot is delivered", func() bool { return s.number(t, donutStock) > 0 })
	requests := s.Run.Factory.Requests()
	request := requests[len(requests)-1].Body
	var asked struct{ CallbackUrl string }
	if err := json.Unmarshal(request, &asked); err != nil || !signatureShown.MatchString(asked.CallbackUrl) {
		t.Fatalf("the factory was asked %s, %v; want a signed callback URL", request, err)
	}
	for u, status := range map[string]int{
		asked.CallbackUrl: http.StatusOK, asked.CallbackUrl + "A": http.StatusForbidden,
		strings.Replace(asked.CallbackUrl, "quantity=", "quantity=1", 1): http.StatusForbidden,
	} {
		response, err := http.Post(u, "application/json", bytes.NewReader(request))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("a callback got %s, want %d", response.Status, status)
		}
	}
	if response, err := http.Post(asked.CallbackUrl, "application/json", strings.NewReader("{")); err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("a callback that cannot be read got %v, %v", response, err)
	} else {
		response.Body.Close()
	}
	if status, body := s.merchant(t, person, "GET", "/merchant/products", "", ""); status != http.StatusOK {
		t.Errorf("the merchant got %d %s", status, body)
	}
	manager := s.secretsManager()
	secrets := s.secrets(t, manager)
	login := s.rotateLogin(t, manager)
	for value, name := range s.secrets(t, manager) {
		secrets[value] = name
	}
	if got := s.buy(t, 1, 1); got[http.StatusOK] != 1 {
		t.Errorf("after the rotation a buyer got %v", got)
	}
	if len(secrets) < 4 {
		t.Errorf("the secrets are %d values, want those of the administrator, of two logins (%s) and of the callback key", len(secrets), login)
	}

	const storyIsTold = string(journal.GoodsReceived)
	shown := map[string]string{}
	await.Until(t, "the console tells the story", func() bool { // it is told of the log a little later
		shown["the console"] = s.shownByTheConsole(t)
		return strings.Contains(shown["the console"], storyIsTold)
	})
	said.mu.Lock()
	shown["the log"] = said.text.String()
	said.mu.Unlock()
	batch, err := everything.Read(1 << 16)
	if err != nil || batch.Dropped > 0 {
		t.Fatalf("%d events were dropped, %v", batch.Dropped, err)
	}
	var all strings.Builder
	for _, e := range batch.Values {
		fmt.Fprintln(&all, e)
	}
	shown["the events"] = all.String()
	for where, text := range shown {
		if !strings.Contains(text, storyIsTold) {
			t.Errorf("%s does not tell the story: %d bytes", where, len(text))
		}
		for line := range strings.Lines(text) {
			for value, name := range secrets {
				if strings.Contains(line, value) {
					t.Errorf("%s shows the secret %s: %.2000s", where, name, strings.ReplaceAll(line, value, "SECRET"))
				}
			}
			if signatureShown.MatchString(line) {
				t.Errorf("%s shows a signature: %.2000s", where, signatureShown.ReplaceAllString(line, "SIGNATURE"))
			}
		}
	}
}

func (s *stack) secretsManager() *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		Region: "ap-northeast-2", BaseEndpoint: aws.String(s.AWS),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// secrets are the texts of all versions of all secrets, without names of users, and the secrets that they are of.
func (s *stack) secrets(tb testing.TB, manager *secretsmanager.Client) map[string]string {
	tb.Helper()
	values := map[string]string{}
	list, err := manager.ListSecrets(tb.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, secret := range list.SecretList {
		versions, err := manager.ListSecretVersionIds(tb.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: secret.ARN})
		if err != nil {
			tb.Fatal(err)
		}
		for _, version := range versions.Versions {
			out, err := manager.GetSecretValue(tb.Context(), &secretsmanager.GetSecretValueInput{SecretId: secret.ARN, VersionId: version.VersionId})
			if err != nil {
				tb.Fatal(err)
			}
			var document map[string]string
			if err := json.Unmarshal([]byte(*out.SecretString), &document); err != nil {
				tb.Fatalf("secret %s: %v", *secret.Name, err)
			}
			for field, value := range document {
				if field != "username" {
					values[value] = *secret.Name + "." + field
				}
			}
		}
	}
	return values
}

// rotateLogin replaces the functions' password, and returns the secret's name.
func (s *stack) rotateLogin(tb testing.TB, manager *secretsmanager.Client) (name string) {
	tb.Helper()
	list, err := manager.ListSecrets(tb.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, secret := range list.SecretList {
		if !aws.ToBool(secret.RotationEnabled) {
			continue
		}
		name = *secret.Name
		rotated, err := manager.RotateSecret(tb.Context(), &secretsmanager.RotateSecretInput{SecretId: secret.ARN})
		if err != nil {
			tb.Fatal(err)
		}
		await.Until(tb, "the password is replaced", func() bool {
			now, err := manager.GetSecretValue(tb.Context(), &secretsmanager.GetSecretValueInput{SecretId: secret.ARN})
			return err == nil && *now.VersionId == *rotated.VersionId
		})
	}
	if name == "" {
		tb.Fatal("no secret is rotated")
	}
	return name
}

// shownByTheConsole is all that the console answers about what has happened.
func (s *stack) shownByTheConsole(t *testing.T) string {
	t.Helper()
	get := func(path string) string {
		response, err := http.Get(s.Console + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s got %s, %v", path, response.Status, err)
		}
		return string(text)
	}
	shown := get("/state")
	var state console.State
	if err := json.Unmarshal([]byte(shown), &state); err != nil {
		t.Fatal(err)
	}
	for _, n := range state.Graph.Nodes {
		shown += "\n" + get("/nodes/"+url.PathEscape(n.ID))
	}
	var journeys []console.JourneySummary
	s.fetch(t, "/journeys", &journeys)
	for _, j := range journeys {
		shown += "\n" + get("/journeys/"+url.PathEscape(j.ID))
	}
	return shown
}
