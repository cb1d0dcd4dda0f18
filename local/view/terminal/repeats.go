package terminal

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// quietTime is how long an event must not repeat before the terminal shows how often it came.
	// maxCounting bounds the delay of that count while the event repeats.
	quietTime   = 2 * time.Second
	maxCounting = 30 * time.Second
	// infoShown is how many events of one kind below warning are shown before the rest are counted,
	// so that a rush of buyers shows a few of them.
	infoShown = 5
	// maxKinds bounds the kinds that are counted at the same time. Further kinds are shown.
	maxKinds = 256
)

// repeats shortens many events of one kind to a few lines and a count. It shows the first warning,
// or the first infoShown events below warning, and counts the others. The screen's lock guards it.
type repeats struct {
	kinds map[string]*kind
	ids   []string // names of attributes that identify one object of many; they never change
}

// A kind groups events that say the same about the same subject: level, logger, message and common
// attributes are equal. It is finer than events.Kind.
type kind struct {
	handler  slog.Handler // shows the count
	level    slog.Level
	message  string
	attrs    []slog.Attr // common to all events of the kind
	shown    int
	more     int       // events that were not shown
	counting time.Time // when counting began
	last     time.Time // when the latest event came
	timer    *time.Timer
}

// repeated reports whether an event repeats others that were shown a moment ago. It counts such an
// event; the caller does not show it.
func (s *screen) repeated(h calm, level slog.Level, message string, attrs []slog.Attr) bool {
	common := s.repeats.inCommon(attrs)
	key := fmt.Sprint(level, "\x00", h.scope, "\x00", message, "\x00", common)
	now := time.Now()
	if k := s.repeats.kinds[key]; k != nil {
		k.last = now
		if level < slog.LevelWarn && k.shown < infoShown {
			k.shown++
			k.counting = now
			return false
		}
		k.more++
		return true
	}
	if len(s.repeats.kinds) >= maxKinds {
		return false
	}
	if s.repeats.kinds == nil {
		s.repeats.kinds = map[string]*kind{}
	}
	k := &kind{handler: h.Handler, level: level, message: message, attrs: common, shown: 1, counting: now, last: now}
	k.timer = time.AfterFunc(quietTime, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.showCount(key, k)
	})
	s.repeats.kinds[key] = k
	return false
}

// showCount shows how often an event repeated, once it has stopped or maxCounting is over.
func (s *screen) showCount(key string, k *kind) {
	if s.repeats.kinds[key] != k {
		return // flushRepeats has shown it
	}
	if wait := time.Until(k.last.Add(quietTime)); wait > 0 && time.Since(k.counting) < maxCounting {
		k.timer.Reset(wait)
		return
	}
	if k.more == 0 {
		delete(s.repeats.kinds, key)
		return
	}
	s.show(k)
	k.more, k.counting = 0, time.Now() // more may come
	k.timer.Reset(quietTime)
}

// show writes the line with the count.
func (s *screen) show(k *kind) {
	text := fmt.Sprintf("%s: %d more in %v", k.message, k.more, rounded(k.last.Sub(k.counting)))
	record := slog.NewRecord(time.Now(), k.level, text, 0)
	record.AddAttrs(k.attrs...)
	_ = k.handler.Handle(context.Background(), record) // writes to memory
	_ = s.flush()                                      // the next logged event returns the error
}

// flushRepeats shows all counts and resets them.
func (s *screen) flushRepeats() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var counted []*kind
	for _, k := range s.repeats.kinds {
		k.timer.Stop()
		if k.more > 0 {
			counted = append(counted, k)
		}
	}
	s.repeats.kinds = nil
	slices.SortFunc(counted, func(a, b *kind) int { return a.counting.Compare(b.counting) })
	for _, k := range counted {
		s.show(k)
	}
}

// inCommon returns the attributes that all events of a kind share: it leaves out durations, times,
// quantities and ids.
func (r *repeats) inCommon(attrs []slog.Attr) (common []slog.Attr) {
	for _, a := range attrs {
		switch value := a.Value.Resolve(); {
		case slices.Contains(r.ids, a.Key):
		case value.Kind() == slog.KindDuration, value.Kind() == slog.KindTime, isNumber(value) && a.Key != "status":
		default:
			common = append(common, slog.String(a.Key, anyID.ReplaceAllString(value.String(), "…")))
		}
	}
	return common
}

// idKeys are attributes that identify one object of many in every program.
var idKeys = []string{"correlation_id", "message", "message_id", "queue_message"}

// anyID matches a UUID in a text, such as the id of a request in an error.
var anyID = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)

func isNumber(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64:
		return true
	case slog.KindAny:
		_, number := v.Any().(float64) // a number of a line of JSON
		return number
	default:
		return false
	}
}

// scope appends the common attributes of a logger to the scope of its parent.
func (r *repeats) scope(before string, attrs []slog.Attr) string {
	var text strings.Builder
	text.WriteString(before)
	for _, a := range r.inCommon(attrs) {
		fmt.Fprintf(&text, "%s\x00", a)
	}
	return text.String()
}
