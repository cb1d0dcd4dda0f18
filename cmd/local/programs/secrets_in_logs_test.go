package programs_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"restock/cmd/local/factory"
	"restock/infra/stack/stacktest/pinned"
	"restock/lambdas/journal"
	"restock/local/view/console"
	"restock/local/view/events"
	"restock/test/await"
)

// signatureShown matches a signature with its value: in a URL, in a URL that is a part of another
// one, or in a header.
var signatureShown = regexp.MustCompile(`(?i)signature(=|%3d)[\w%+/-]+`)

// sentMessage finds the ids of the messages in the steps of a journey.
var sentMessage = regexp.MustCompile(`"queue_message":"([^"]+)"`)

func TestNoSecretIsLoggedOrShown(t *testing.T) {
	t.Parallel()
	logged, stream := &textLog{}, events.NewStream[events.Event](1<<16)
	c := config(t)
	c.Console = "127.0.0.1:0"
	c.Log = slog.New(slog.NewMultiHandler(
		slog.NewJSONHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}),
		events.NewHandler(stream, slog.LevelDebug)))
	s := start(t, c)
	everything := stream.Subscribe(0)
	defer everything.Close()

	// The run handles all kinds of messages: a sold-out product, a refused buyer, a factory whose
	// answer does not parse, its delivery, a repeated callback, two forged callbacks and a broken
	// one, a merchant, and a new password that the functions use afterwards.
	setFault := func(hold bool) {
		t.Helper()
		if err := s.Run.Factory.SetFault(factory.Fault{Answer: factory.AnswerGarbage, Hold: hold}); err != nil {
			t.Fatal(err)
		}
	}
	setFault(true) // the factory delivers after the refusal, however slow the buyers are
	if got := s.buy(t, 4, 1); got[http.StatusOK] != 3 || got[http.StatusConflict] != 1 {
		t.Fatalf("4 buyers of 3 got %v", got)
	}
	setFault(false)
	await.Until(t, "a failed request to the factory is logged",
		func() bool { return logged.line(string(journal.RequestFailed)) != "" })
	await.Until(t, "the lot is delivered", func() bool { return s.number(t, donutStock) > 0 })
	requests := s.Run.Factory.Requests()
	request := requests[len(requests)-1].Body
	var order struct{ CallbackUrl string }
	if err := json.Unmarshal(request, &order); err != nil || !signatureShown.MatchString(order.CallbackUrl) {
		t.Fatalf("the factory got %s, %v; want a signed callback URL", request, err)
	}
	for _, callback := range []struct{ url, body string }{
		{order.CallbackUrl, string(request)}, {order.CallbackUrl + "A", string(request)},
		{strings.Replace(order.CallbackUrl, "quantity=", "quantity=1", 1), string(request)}, {order.CallbackUrl, "{"},
	} {
		response, err := http.Post(callback.url, "application/json", strings.NewReader(callback.body))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("a callback got %s, want 200", response.Status)
		}
	}
	await.Until(t, "the forged and the unreadable deliveries are logged", func() bool {
		return logged.line(string(journal.DeliveriesForged)) != "" && logged.line(string(journal.DeliveryFailed)) != ""
	})
	if status, body := s.merchant(t, person, "GET", "/merchant/products", "", ""); status != http.StatusOK {
		t.Errorf("the merchant got %d %s", status, body)
	}
	manager := s.secretsManager()
	s.awaitFirstRotation(t, manager)
	secrets := s.secrets(t, manager)
	login := s.rotateLogin(t, manager)
	for value, name := range s.secrets(t, manager) {
		secrets[value] = name
	}
	if got := s.buy(t, 1, 1); got[http.StatusOK] != 1 {
		t.Errorf("after the rotation a buyer got %v", got)
	}
	if len(secrets) < 4 {
		t.Errorf("the secrets have %d values, want those of the administrator, of two logins (%s) "+
			"and of the callback key", len(secrets), login)
	}

	const lastKind = string(journal.GoodsReceived)
	shown := map[string]string{}
	await.Until(t, "the console shows the goods receipt", func() bool { // a little later than the log
		shown["the console"] = s.shownByTheConsole(t)
		return strings.Contains(shown["the console"], lastKind)
	})
	logged.mu.Lock()
	shown["the log"] = logged.text.String()
	logged.mu.Unlock()
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
		if !strings.Contains(text, lastKind) {
			t.Errorf("%s does not have the goods receipt: %d bytes", where, len(text))
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
		Region: pinned.Region, BaseEndpoint: aws.String(s.AWS),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// secrets returns the values in all versions of all secrets, without names of users. The keys are
// the values; each entry names the secret and the field.
func (s *stack) secrets(tb testing.TB, manager *secretsmanager.Client) map[string]string {
	tb.Helper()
	values := map[string]string{}
	list, err := manager.ListSecrets(tb.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, secret := range list.SecretList {
		versions, err := manager.ListSecretVersionIds(tb.Context(),
			&secretsmanager.ListSecretVersionIdsInput{SecretId: secret.ARN})
		if err != nil {
			tb.Fatal(err)
		}
		for _, version := range versions.Versions {
			out, err := manager.GetSecretValue(tb.Context(),
				&secretsmanager.GetSecretValueInput{SecretId: secret.ARN, VersionId: version.VersionId})
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

// awaitFirstRotation waits until the rotation is over that begins with the run.
func (s *stack) awaitFirstRotation(tb testing.TB, manager *secretsmanager.Client) {
	tb.Helper()
	await.Until(tb, "the first rotation is over", func() bool {
		list, err := manager.ListSecrets(tb.Context(), &secretsmanager.ListSecretsInput{})
		if err != nil {
			tb.Fatal(err)
		}
		return !slices.ContainsFunc(list.SecretList, func(secret types.SecretListEntry) bool {
			return aws.ToBool(secret.RotationEnabled) && secret.LastRotatedDate == nil
		})
	})
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
		tb.Fatal("no secret has rotation enabled")
	}
	return name
}

// shownByTheConsole returns everything that the console answers about the run.
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
		node := get("/nodes/" + url.PathEscape(n.ID))
		var lines console.NodeLines
		if err := json.Unmarshal([]byte(node), &lines); err != nil {
			t.Fatal(err)
		}
		shown += "\n" + node
		for _, i := range lines.Invocations {
			shown += "\n" + get("/invocations/"+i.ID)
		}
	}
	var journeys []console.JourneySummary
	s.fetch(t, "/journeys", &journeys)
	for _, j := range journeys {
		steps := get("/journeys/" + url.PathEscape(j.ID))
		shown += "\n" + steps
		for _, id := range sentMessage.FindAllStringSubmatch(steps, -1) {
			shown += "\n" + get("/messages/"+id[1])
		}
	}
	return shown
}
