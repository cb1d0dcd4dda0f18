package secrets_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"restock/internal/secrets"
	"restock/internal/secrets/secretstest"
)

// A clock stands still until a test moves it.
type clock struct{ now time.Time }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func (c *clock) Now() time.Time { return c.now }

// newKeys returns the callback keys of a vault whose secret has the key "one".
func newKeys() (*secrets.CallbackKeys, *secretstest.Vault, *clock, *bytes.Buffer) {
	v, c, log := &secretstest.Vault{}, &clock{time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}, &bytes.Buffer{}
	replace(v, "one")
	return secrets.NewCallbackKeys(v, arn, slog.New(slog.NewTextHandler(log, nil)), c.Now), v, c, log
}

// replace writes a new current version of the key.
func replace(v *secretstest.Vault, key string) {
	v.Set(arn, fmt.Sprintf(`{"key":%q}`, base64.StdEncoding.EncodeToString([]byte(key))))
}

// texts returns keys as text, for example "one two", or the error.
func texts(keys []secrets.CallbackKey, err error) string {
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, k := range keys {
		all = append(all, string(k.Key))
	}
	return strings.Join(all, " ")
}

func TestBothVersionsOfAReplacedKeyAreAcceptedAndNoOlderOne(t *testing.T) {
	keys, v, c, _ := newKeys()
	accepted := func(want string) {
		t.Helper()
		if got := texts(keys.Accepted(t.Context())); got != want {
			t.Errorf("the accepted keys are %q, want %q", got, want)
		}
	}
	reread := func(want string) {
		t.Helper()
		if got := texts(keys.Reread(t.Context())); got != want {
			t.Errorf("Reread returned %q, want %q", got, want)
		}
	}
	accepted("one")
	reread("one") // that there is no previous version is not an error
	c.pass(30 * time.Second)
	replace(v, "two")
	accepted("one") // cached
	reread("two one")
	accepted("two one")
	c.pass(30 * time.Second)
	replace(v, "three")
	reread("three two")
	accepted("three two")
}

func TestAKeyThatWasReplacedTwiceIsRefusedAfterFiveMinutesWithoutAMismatch(t *testing.T) {
	keys, v, c, _ := newKeys()
	for _, step := range []struct {
		pass time.Duration
		want string
	}{{0, "one"}, {5*time.Minute - 1, "one"}, {1, "three"}, {5 * time.Minute, "three"}} {
		c.pass(step.pass)
		if got := texts(keys.Accepted(t.Context())); got != step.want {
			t.Errorf("after %v the accepted keys are %q, want %q", step.pass, got, step.want)
		}
		if step.pass == 0 {
			replace(v, "two")
			replace(v, "three")
		}
	}
}

func TestTheKeyToSignWithIsFiveMinutesOldAtMost(t *testing.T) {
	keys, v, c, _ := newKeys()
	for _, step := range []struct {
		pass  time.Duration
		want  string
		reads int
	}{{0, "one", 1}, {time.Minute, "one", 1}, {4*time.Minute - 1, "one", 1}, {1, "two", 2}, {time.Minute, "two", 2}} {
		c.pass(step.pass)
		key, err := keys.Current(t.Context())
		if got := texts([]secrets.CallbackKey{key}, err); got != step.want || v.Reads() != step.reads {
			t.Errorf("%v later the key is %q after %d reads, want %q after %d",
				step.pass, got, v.Reads(), step.want, step.reads)
		}
		replace(v, "two")
	}
}

func TestMismatchesReadTheKeysOnceInThirtySeconds(t *testing.T) {
	keys, v, c, _ := newKeys()
	if _, err := keys.Accepted(t.Context()); err != nil {
		t.Fatal(err)
	}
	const both = 2 // a read of the two versions
	for i, pass := range []time.Duration{0, 30*time.Second - 1, 1, 30 * time.Second} {
		c.pass(pass)
		for range 1000 {
			if _, err := keys.Reread(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := v.Reads(), 1+both*[]int{1, 1, 2, 3}[i]; got != want {
			t.Errorf("after %v: the secret was read %d times, want %d", pass, got, want)
		}
	}
	v.Unreadable = errors.New("throttled")
	c.pass(30 * time.Second)
	before := v.Reads()
	for i := range 1000 {
		if _, err := keys.Reread(t.Context()); (err != nil) != (i == 0) {
			t.Fatalf("mismatch %d: got %v, want an error for the first one only", i+1, err)
		}
	}
	if got := v.Reads() - before; got != 1 {
		t.Errorf("an unreadable secret was read %d times, want once", got)
	}
}

func TestAKnownKeyIsUsedWhileSecretsManagerIsUnavailable(t *testing.T) {
	keys, v, c, log := newKeys()
	v.Unreadable = errors.New("no connection")
	if _, err := keys.Current(t.Context()); err == nil || !strings.Contains(err.Error(), "reading secret "+arn) {
		t.Fatalf("without a key: got %v, want an error that names the secret", err)
	}
	v.Unreadable = nil
	if _, err := keys.Current(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.Unreadable = errors.New("no connection")
	c.pass(time.Hour)
	before := v.Reads()
	for range 100 {
		if got := texts(keys.Accepted(t.Context())); got != "one" {
			t.Fatalf("the accepted keys are %q, want the cached one", got)
		}
	}
	if got := v.Reads() - before; got != 1 {
		t.Errorf("the secret was read %d times, want once in 30 s", got)
	}
	if !strings.Contains(log.String(), "no connection") || strings.Contains(log.String(), "one\"") {
		t.Errorf("the log is %s, want the reason", log)
	}
	v.Unreadable = nil
	replace(v, "two")
	c.pass(30 * time.Second)
	if got := texts(keys.Accepted(t.Context())); got != "two" {
		t.Errorf("the accepted keys are %q, want the new one", got)
	}
}

func TestAPreviousVersionThatIsNotAKeyIsIgnored(t *testing.T) {
	keys, v, _, _ := newKeys()
	v.Set(arn, "hunter2")
	replace(v, "three")
	if got := texts(keys.Reread(t.Context())); got != "three" {
		t.Errorf("Reread returned %q, want the current key only", got)
	}
	v.Set(arn, "hunter2")
	keys = secrets.NewCallbackKeys(v, arn, slog.New(slog.DiscardHandler), time.Now)
	if _, err := keys.Accepted(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a current version that is not a key: got %v, want an error without its value", err)
	}
}
