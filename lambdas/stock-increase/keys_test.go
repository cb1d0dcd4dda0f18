package main

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/secrets"
	"restock/internal/secrets/secretstest"
	"restock/internal/shop"
	"restock/internal/web/webtest"
)

// keyOf returns a key that repeats a letter.
func keyOf(letter string) key { return key(strings.Repeat(letter, 32)) }

// A replaceable is a handler with its key in a vault and its own clock.
type replaceable struct {
	http.Handler
	vault *secretstest.Vault
	store *memory
	now   time.Time
}

func newReplaceable(t *testing.T) *replaceable {
	t.Helper()
	r := &replaceable{
		vault: &secretstest.Vault{}, store: &memory{}, now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC),
	}
	log := slog.New(slog.DiscardHandler)
	keys := secrets.NewCallbackKeys(r.vault, "callback-key", log, func() time.Time { return r.now })
	var err error
	if r.Handler, err = newReceiver(shop.Open(r.store, nil, shop.Discard), keys, log); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *replaceable) replace(k key) {
	r.vault.Set("callback-key", fmt.Sprintf(`{"key":%q}`, base64.StdEncoding.EncodeToString(k)))
}

// deliver delivers a new attempt that was signed with a key.
func (r *replaceable) deliver(t *testing.T, k key) int {
	t.Helper()
	return webtest.Do(t, r, callback(t, k, uuid.New(), uuid.New(), made100)).Status
}

func TestDeliveriesAreBookedWhileTheKeyIsReplaced(t *testing.T) {
	r := newReplaceable(t)
	for _, step := range []struct {
		what   string
		do     func()
		key    string
		status int
	}{
		{"the first key", func() { r.replace(keyOf("a")) }, "a", 200},
		{"the next key, on an instance that has cached the first", func() { r.replace(keyOf("b")) }, "b", 200},
		{"an attempt that was signed with the first key", func() {}, "a", 200},
		{"an unknown key", func() {}, "x", 403},
		{"the third key, a minute later", func() { r.replace(keyOf("c")); r.now = r.now.Add(time.Minute) }, "c", 200},
		{"an attempt that was signed with the second key", func() {}, "b", 200},
		{"the first key, which was replaced twice", func() {}, "a", 403},
	} {
		step.do()
		if got := r.deliver(t, keyOf(step.key)); got != step.status {
			t.Errorf("%s: got %d, want %d", step.what, got, step.status)
		}
	}
	if booked := len(r.store.delivered); booked != 5 {
		t.Errorf("%d deliveries are booked, want 5", booked)
	}
}

func TestANewInstanceAcceptsThePreviousKey(t *testing.T) {
	r := newReplaceable(t)
	r.replace(keyOf("a"))
	r.replace(keyOf("b"))
	if got := r.deliver(t, keyOf("a")); got != 200 {
		t.Errorf("got %d, want 200", got)
	}
}

func TestForgersCauseOneReadOfTheKeyInThirtySeconds(t *testing.T) {
	r := newReplaceable(t)
	r.replace(keyOf("a"))
	for i := range 1000 {
		if got := r.deliver(t, keyOf("x")); got != 403 {
			t.Fatalf("forged callback %d: got %d, want 403", i+1, got)
		}
		r.now = r.now.Add(29 * time.Millisecond) // 29 s in all
	}
	// The first callback reads the current version, and the first mismatch reads both versions.
	if got := r.vault.Reads(); got != 3 {
		t.Errorf("1,000 forged callbacks in 29 s read the secret %d times, want 3", got)
	}
	if got := r.deliver(t, keyOf("a")); got != 200 {
		t.Errorf("a delivery among them: got %d, want 200", got)
	}
}

func TestAMistypedKeyCanBeCorrected(t *testing.T) {
	r := newReplaceable(t)
	r.replace(key("short"))
	if got := r.deliver(t, keyOf("a")); got != 500 {
		t.Errorf("a key that is too short: got %d, want 500", got)
	}
	r.replace(keyOf("a"))
	r.now = r.now.Add(30 * time.Second)
	if got := r.deliver(t, keyOf("a")); got != 200 {
		t.Errorf("the corrected key: got %d, want 200", got)
	}
}
