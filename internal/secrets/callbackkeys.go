package secrets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const (
	// keyMaxAge is how long an instance uses a callback key before it reads the key again. So every
	// instance refuses a key that was replaced twice after five minutes, and no instance signs with
	// a replaced key for longer.
	keyMaxAge = 5 * time.Minute
	// rereadInterval is the shortest time between two reads that a mismatch causes, or that follow
	// a failed read. So forged callbacks cannot overload Secrets Manager: a thousand of them cause
	// one read.
	rereadInterval = 30 * time.Second
	// rereadTimeout bounds a read if a key is cached: an unavailable Secrets Manager must not delay
	// a callback.
	rereadTimeout = 3 * time.Second
)

// CallbackKeys are the keys that sign callback URLs. stock signs with the current version of the
// secret. stock-increase accepts the previous version, too: a callback arrives minutes after its
// URL was signed, and the key may have been replaced in between. A second replacement ends the
// first key.
type CallbackKeys struct {
	client Client
	arn    string
	log    *slog.Logger
	clock  func() time.Time

	mu       sync.Mutex // guards the fields below
	current  *CallbackKey
	previous *CallbackKey // nil: not read yet, or there is none
	readAt   time.Time    // when current was read, or when a read failed and current was kept
	rereadAt time.Time    // when a mismatch last caused a read of both
	// bothReadAt is a moment before both were read; zero if only the current one was read last.
	bothReadAt time.Time
}

// NewCallbackKeys returns the callback keys in a secret with an ARN or a name. It reads nothing
// yet.
func NewCallbackKeys(client Client, arn string, log *slog.Logger, clock func() time.Time) *CallbackKeys {
	return &CallbackKeys{client: client, arn: arn, log: log, clock: clock}
}

// now returns the time of the wall clock. The monotonic clock may stand still while Lambda has
// frozen the instance.
func (k *CallbackKeys) now() time.Time { return k.clock().Round(0) }

// Current returns the key to sign with.
func (k *CallbackKeys) Current(ctx context.Context) (CallbackKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.refresh(ctx); err != nil {
		return CallbackKey{}, err
	}
	return *k.current, nil
}

// Accepted returns the cached keys whose signatures are accepted, the current one first.
func (k *CallbackKeys) Accepted(ctx context.Context) ([]CallbackKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.refresh(ctx); err != nil {
		return nil, err
	}
	return k.known(), nil
}

// ErrReadRecently is the error of Since if the keys were read too recently to read them again, but
// before the time in question.
var ErrReadRecently = errors.New("the callback keys were read less than 30 seconds ago")

// Since returns the accepted keys as they are at a time or later, for a signature of before that
// time that no cached key made. If none of these keys made it either, it is forged. The error is
// ErrReadRecently if forgers have just caused a read: the caller must ask again half a minute
// later.
func (k *CallbackKeys) Since(ctx context.Context, t time.Time) ([]CallbackKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current != nil && !k.bothReadAt.Before(t) {
		return k.known(), nil
	}
	now := k.now()
	if !k.rereadAt.IsZero() && now.Before(k.rereadAt.Add(rereadInterval)) {
		return nil, ErrReadRecently
	}
	k.rereadAt = now // before the read: a read that fails counts, too
	if err := k.read(ctx, true); err != nil {
		return nil, err
	}
	return k.known(), nil
}

// The caller of the methods below must hold the lock.

func (k *CallbackKeys) known() []CallbackKey {
	keys := []CallbackKey{*k.current}
	if k.previous != nil {
		keys = append(keys, *k.previous)
	}
	return keys
}

// refresh reads the keys if none is cached, or if they are too old. If they are too old and the
// read fails, it keeps them and reads again after rereadInterval: Secrets Manager is unavailable
// more often than a key leaks.
func (k *CallbackKeys) refresh(ctx context.Context) error {
	if k.current == nil {
		return k.read(ctx, false)
	}
	now := k.now()
	if now.Before(k.readAt.Add(keyMaxAge)) {
		return nil
	}
	if err := k.read(ctx, k.previous != nil); err != nil {
		k.log.WarnContext(ctx, "the callback key could not be read again, the known one is used", "error", err)
		k.readAt = now.Add(rereadInterval - keyMaxAge)
	}
	return nil
}

// read reads the current key, and with both also the previous one. The previous one is seldom
// needed: a callback signed with it mismatches first, and Since then reads it.
func (k *CallbackKeys) read(ctx context.Context, both bool) error {
	if k.current != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rereadTimeout)
		defer cancel()
	}
	now := k.now()
	latest, err := k.version(ctx, current)
	if err != nil {
		return err
	}
	var before *CallbackKey
	if both {
		before, err = k.version(ctx, previous)
		// A secret that was never replaced has no previous version. A previous version that is not
		// a key, for example because somebody mistyped it, does not count.
		if err != nil && !IsEmpty(err) && !errors.Is(err, errMalformed) {
			return err
		}
	}
	k.current, k.previous, k.readAt = latest, before, now
	if k.bothReadAt = (time.Time{}); both {
		k.bothReadAt = now
	}
	return nil
}

func (k *CallbackKeys) version(ctx context.Context, stage string) (*CallbackKey, error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: aws.String(k.arn), VersionStage: aws.String(stage)}
	out, err := k.client.GetSecretValue(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("reading secret %s, version %s: %w", k.arn, stage, err)
	}
	key, err := parse[CallbackKey](out)
	if err != nil {
		return nil, fmt.Errorf("reading secret %s, version %s: %w", k.arn, stage, err)
	}
	return &key, nil
}
