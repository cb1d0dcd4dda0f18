package receiving

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/secrets"
	"restock/internal/secrets/secretstest"
	"restock/internal/shop"
)

// A replaceable is an instance with its key in a vault and its own clock.
type replaceable struct {
	vault *secretstest.Vault
	keys  *secrets.CallbackKeys
	store *memory
	now   time.Time
}

func newReplaceable() *replaceable {
	r := &replaceable{
		vault: &secretstest.Vault{}, store: &memory{}, now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC),
	}
	clock := func() time.Time { return r.now }
	r.keys = secrets.NewCallbackKeys(r.vault, "callback-key", slog.New(slog.DiscardHandler), clock)
	return r
}

func (r *replaceable) replace(k key) {
	r.vault.Set("callback-key", fmt.Sprintf(`{"key":%q}`, base64.StdEncoding.EncodeToString(k)))
}

// A sent callback is in the queue.
type sent struct {
	callback
	at time.Time
}

// send sends the callback of a new attempt that was signed with a key.
func (r *replaceable) send(t *testing.T, k key) sent {
	t.Helper()
	return sent{newCallback(t, k, uuid.New(), uuid.New(), made100), r.now}
}

// receive gives the instance a callback.
func (r *replaceable) receive(t *testing.T, s sent) string {
	t.Helper()
	return deliver(t.Context(), t, shop.Open(r.store, nil, shop.Discard), r.keys, s.callback, s.at)
}

// deliver sends a callback, and gives it to the instance at once.
func (r *replaceable) deliver(t *testing.T, k key) string {
	t.Helper()
	return r.receive(t, r.send(t, k))
}

func TestDeliveriesAreBookedWhileTheKeyIsReplaced(t *testing.T) {
	r := newReplaceable()
	for _, step := range []struct {
		what string
		do   func()
		key  string
		want string
	}{
		{"the first key", func() { r.replace(keyOf("a")) }, "a", "booked"},
		{"the next key, on an instance that has cached the first", func() { r.replace(keyOf("b")) }, "b", "booked"},
		{"an attempt that was signed with the first key", func() {}, "a", "booked"},
		{"an unknown key", func() {}, "x", "dropped"},
		{"an unknown key, which may be newer than the read", func() { r.now = r.now.Add(time.Second) }, "x",
			"undecided"},
		{"the third key, a minute later",
			func() { r.replace(keyOf("c")); r.now = r.now.Add(time.Minute) }, "c", "booked"},
		{"an attempt that was signed with the second key", func() {}, "b", "booked"},
		{"the first key, which was replaced twice", func() {}, "a", "dropped"},
	} {
		step.do()
		if got := r.deliver(t, keyOf(step.key)); got != step.want {
			t.Errorf("%s: got %s, want %s", step.what, got, step.want)
		}
	}
	if booked := len(r.store.delivered); booked != 5 {
		t.Errorf("%d deliveries are booked, want 5", booked)
	}
}

// A forger has just caused a read of the keys, so the instance may not read them again for 30 s. It
// must not judge a delivery by keys that may be older than the delivery's own.
func TestADeliveryIsKeptUntilTheKeysAreNewerThanIt(t *testing.T) {
	r := newReplaceable()
	r.replace(keyOf("a"))
	if got := r.deliver(t, keyOf("x")); got != "dropped" {
		t.Fatalf("a forged callback: got %s", got)
	}
	r.now = r.now.Add(time.Second)
	r.replace(keyOf("b"))
	r.now = r.now.Add(time.Second)
	genuine, forged := r.send(t, keyOf("b")), r.send(t, keyOf("x"))
	for range 2 {
		if got := r.receive(t, genuine); got != "undecided" {
			t.Errorf("a delivery that a new key signed, 2 s after a read: got %s, want it undecided", got)
		}
		if got := r.receive(t, forged); got != "undecided" {
			t.Errorf("a forged callback, 2 s after a read: got %s, want it undecided", got)
		}
		r.now = r.now.Add(time.Second)
	}
	r.now = genuine.at.Add(declared(t).visibility)
	if got := r.receive(t, genuine); got != "booked" {
		t.Errorf("the delivery, when it is visible again: got %s, want it booked", got)
	}
	if got := r.receive(t, forged); got != "dropped" {
		t.Errorf("the forged callback, when it is visible again: got %s, want it dropped", got)
	}
}

// The delivery waited for the database. Its key was replaced meanwhile, for the first time, and the
// instance has refreshed the current key alone.
func TestADeliveryThatWaitedIsBookedAfterTheFirstReplacement(t *testing.T) {
	r := newReplaceable()
	r.replace(keyOf("a"))
	waiting := r.send(t, keyOf("a"))
	if got := r.deliver(t, keyOf("x")); got != "dropped" { // both keys are read
		t.Fatalf("a forged callback: got %s", got)
	}
	r.replace(keyOf("b"))
	r.now = r.now.Add(4 * declared(t).visibility) // the cached key is too old
	if got := r.receive(t, waiting); got != "booked" {
		t.Errorf("the delivery, signed with the previous key: got %s, want it booked", got)
	}
}

func TestANewInstanceAcceptsThePreviousKey(t *testing.T) {
	r := newReplaceable()
	r.replace(keyOf("a"))
	r.replace(keyOf("b"))
	if got := r.deliver(t, keyOf("a")); got != "booked" {
		t.Errorf("got %s, want it booked", got)
	}
}

func TestForgersCauseOneReadOfTheKeyInThirtySeconds(t *testing.T) {
	r := newReplaceable()
	r.replace(keyOf("a"))
	var waiting []sent
	for i := range 1000 {
		want := "undecided"
		if i == 0 {
			want = "dropped" // by the keys that it made the instance read
		}
		forged := r.send(t, keyOf("x"))
		if got := r.receive(t, forged); got != want {
			t.Fatalf("forged callback %d: got %s, want it %s", i+1, got, want)
		} else if got == "undecided" {
			waiting = append(waiting, forged)
		}
		r.now = r.now.Add(29 * time.Millisecond) // 29 s in all
	}
	// The first callback reads the current version, and the first mismatch reads both versions.
	if got := r.vault.Reads(); got != 3 {
		t.Errorf("1,000 forged callbacks in 29 s read the secret %d times, want 3", got)
	}
	if got := r.deliver(t, keyOf("a")); got != "booked" {
		t.Errorf("a delivery among them: got %s, want it booked", got)
	}
	r.now = r.now.Add(declared(t).visibility)
	for i, forged := range waiting {
		if got := r.receive(t, forged); got != "dropped" {
			t.Fatalf("forged callback %d, when it is visible again: got %s, want it dropped", i+2, got)
		}
	}
	if got := r.vault.Reads(); got != 5 {
		t.Errorf("the secret was read %d times, want 5: both versions once more for all that waited", got)
	}
}

func TestAMistypedKeyCanBeCorrected(t *testing.T) {
	r := newReplaceable()
	r.replace(key("short"))
	genuine, want := r.send(t, keyOf("a")), "kept: the callback key has 5 bytes"
	if got := r.receive(t, genuine); !strings.HasPrefix(got, want) {
		t.Errorf("a key that is too short: got %s, want %s", got, want)
	}
	r.replace(keyOf("a"))
	r.now = r.now.Add(30 * time.Second)
	if got := r.deliver(t, keyOf("a")); got != "booked" {
		t.Errorf("the corrected key: got %s, want it booked", got)
	}
	r.now = genuine.at.Add(declared(t).visibility)
	if got := r.receive(t, genuine); got != "booked" {
		t.Errorf("the delivery that waited for the corrected key: got %s, want it booked", got)
	}
}
