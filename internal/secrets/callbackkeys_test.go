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
	now := func(want string) {
		t.Helper()
		if got := texts(keys.Since(t.Context(), c.now)); got != want {
			t.Errorf("Since returned %q, want %q", got, want)
		}
	}
	accepted("one")
	now("one") // that there is no previous version is not an error
	c.pass(30 * time.Second)
	replace(v, "two")
	accepted("one") // cached
	now("two one")
	accepted("two one")
	c.pass(30 * time.Second)
	replace(v, "three")
	now("three two")
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
			_, err := keys.Since(t.Context(), c.now)
			if recently := i == 1; recently && !errors.Is(err, secrets.ErrReadRecently) || !recently && err != nil {
				t.Fatalf("after %v: got %v, want ErrReadRecently: %t", pass, err, recently)
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
		want := v.Unreadable
		if i > 0 {
			want = secrets.ErrReadRecently
		}
		if _, err := keys.Since(t.Context(), c.now); !errors.Is(err, want) {
			t.Fatalf("mismatch %d: got %v, want %v", i+1, err, want)
		}
	}
	if got := v.Reads() - before; got != 1 {
		t.Errorf("an unreadable secret was read %d times, want once", got)
	}
}

func TestKeysAreReadAgainOnlyIfTheyAreOlderThanTheTime(t *testing.T) {
	keys, v, c, _ := newKeys()
	if got := texts(keys.Since(t.Context(), c.now)); got != "one" {
		t.Fatalf("Since returned %q, want the key", got)
	}
	replace(v, "two")
	for _, step := range []struct {
		pass, after time.Duration // after is the time in question, seen from the first read
		want        string
		reads       int // in all
	}{
		{0, -time.Hour, "one", 2},
		{0, 0, "one", 2},
		{time.Second, 0, "one", 2}, // the keys are as of that time, however late the question comes
		{0, 1, secrets.ErrReadRecently.Error(), 2},
		{28 * time.Second, 29 * time.Second, secrets.ErrReadRecently.Error(), 2},
		{time.Second, 1, "two one", 4},
		{time.Minute, 30 * time.Second, "two one", 4},
	} {
		c.pass(step.pass)
		first := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
		if got := texts(keys.Since(t.Context(), first.Add(step.after))); got != step.want || v.Reads() != step.reads {
			t.Errorf("at %v, since %v: got %q after %d reads, want %q after %d",
				c.now.Sub(first), step.after, got, v.Reads(), step.want, step.reads)
		}
	}
}

// The cache is as of a time only if both keys were read then. A refresh that reads the current key
// alone leaves out the key that it replaced.
func TestSinceKnowsThePreviousKeyAfterTheCurrentOneWasReadAlone(t *testing.T) {
	keys, v, c, _ := newKeys()
	sent := c.now
	if got := texts(keys.Since(t.Context(), sent)); got != "one" {
		t.Fatalf("Since returned %q, want the only key", got)
	}
	replace(v, "two")
	c.pass(5 * time.Minute)
	if got := texts(keys.Accepted(t.Context())); !strings.HasPrefix(got, "two") {
		t.Fatalf("the accepted keys are %q, want the new one first", got)
	}
	if got := texts(keys.Since(t.Context(), sent)); got != "two one" {
		t.Errorf("Since returned %q, want the previous key, too", got)
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
	keys, v, c, _ := newKeys()
	v.Set(arn, "hunter2")
	replace(v, "three")
	if got := texts(keys.Since(t.Context(), c.now)); got != "three" {
		t.Errorf("Since returned %q, want the current key only", got)
	}
	v.Set(arn, "hunter2")
	keys = secrets.NewCallbackKeys(v, arn, slog.New(slog.DiscardHandler), time.Now)
	if _, err := keys.Accepted(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a current version that is not a key: got %v, want an error without its value", err)
	}
}
