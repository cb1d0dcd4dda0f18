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
	// quietTime is how long an event must not come again before it is told how often it came, and maxCounting how long that takes at most.
	quietTime   = 2 * time.Second
	maxCounting = 30 * time.Second
	// infoShown is how many events of one kind are shown that are no warnings, before the others are counted: some buyers, not all of a rush.
	infoShown = 5
	// maxKinds is how many kinds of events are counted at the same time.
	maxKinds = 256
)

// repeats makes one line of many events of one kind: the first warning is shown, or the first few events that are no warnings, and the
// others are counted. The screen's lock guards it.
type repeats struct{ kinds map[string]*kind }

// A kind is that of events that say the same of the same subject.
type kind struct {
	handler  slog.Handler // that shows them
	level    slog.Level
	message  string
	attrs    []slog.Attr // that they have in common
	shown    int
	more     int       // that were not shown
	counting time.Time // since when they are counted
	last     time.Time
	timer    *time.Timer
}

// repeated counts an event, and reports that it is not to be shown: enough of its kind were, a moment ago.
func (s *screen) repeated(h calm, level slog.Level, message string, attrs []slog.Attr) bool {
	common := inCommon(attrs)
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
		s.tell(key, k)
	})
	s.repeats.kinds[key] = k
	return false
}

// tell shows how often an event came, when that is known.
func (s *screen) tell(key string, k *kind) {
	if s.repeats.kinds[key] != k {
		return // flushed
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
	k.more, k.counting = 0, time.Now() // it may go on
	k.timer.Reset(quietTime)
}

// show shows how often an event came.
func (s *screen) show(k *kind) {
	text := fmt.Sprintf("%s: %d more in %v", k.message, k.more, rounded(k.last.Sub(k.counting)))
	record := slog.NewRecord(time.Now(), k.level, text, 0)
	record.AddAttrs(k.attrs...)
	_ = k.handler.Handle(context.Background(), record) // writes to memory
	_ = s.flush()                                      // a terminal that is gone is the logger's to find out
}

// flushRepeats shows what is counted so far, and forgets it.
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

// inCommon are the attributes that events of one kind have in common: no durations, quantities or ids.
func inCommon(attrs []slog.Attr) (common []slog.Attr) {
	for _, a := range attrs {
		switch value := a.Value.Resolve(); {
		case slices.Contains(idKeys, a.Key):
		case value.Kind() == slog.KindDuration, value.Kind() == slog.KindTime, isNumber(value) && a.Key != "status":
		default:
			common = append(common, slog.String(a.Key, anyID.ReplaceAllString(value.String(), "…")))
		}
	}
	return common
}

// idKeys are attributes that say which one of many it is.
var idKeys = []string{"correlation_id", "message", "message_id", "queue_message", "lot", "production_order"}

// anyID is an id within a text: of a request, for one.
var anyID = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)

func isNumber(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64:
		return true
	case slog.KindAny:
		_, number := v.Any().(float64) // of a line of JSON
		return number
	default:
		return false
	}
}

// scope is what a logger's own attributes add to the kind of its events.
func scope(before string, attrs []slog.Attr) string {
	var text strings.Builder
	text.WriteString(before)
	for _, a := range inCommon(attrs) {
		fmt.Fprintf(&text, "%s\x00", a)
	}
	return text.String()
}
