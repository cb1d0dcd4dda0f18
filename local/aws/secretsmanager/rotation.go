package secretsmanager

import (
	"time"

	"github.com/google/uuid"
)

// rotation is how a secret is rotated, and whether it is right now.
type rotation struct {
	functionARN string // "" if rotation was never configured
	rules       RotationRules
	schedule    schedule // nil if the rules have none
	enabled     bool     // on schedule
	last        time.Time
	next        time.Time    // when the window of the next rotation closes; in the past if that rotation failed
	timer       *time.Timer  // goes off when that window opens; nil if there is none
	run         *rotationRun // nil unless one is under way
}

// schedule sets the time of the next rotation, counted from now. A secret that is not to be rotated has none. It must be
// called with the lock held.
func (s *Service) schedule(sec *secret, now time.Time) {
	r := &sec.rotation
	r.stopTimer()
	r.next = time.Time{}
	if !r.enabled || r.schedule == nil || s.closed.Err() != nil {
		return
	}
	opens, closes := r.schedule.window(now)
	if opens.IsZero() {
		return
	}
	r.next = closes
	var timer *time.Timer
	timer = time.AfterFunc(opens.Sub(now), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.timer != timer { // stopped while it waited for the lock
			return
		}
		r.timer = nil
		if r.run == nil {
			s.rotateOnSchedule(sec)
		}
	})
	r.timer = timer
}

// rotateOnSchedule begins a rotation, or begins again the one that was not finished. It must be called with the lock held.
func (s *Service) rotateOnSchedule(sec *secret) {
	v := sec.unfinished()
	if v == nil {
		var err error
		if v, err = sec.preparePending(uuid.NewString(), value{}); err != nil {
			s.log.Error("secret rotation failed", "secret", sec.name, "error", err)
			return
		}
	}
	s.begin(sec, v.id, s.rotate)
}

func (r *rotation) stopTimer() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// stopRotation ends a rotation under way, if there is one, and the wait for the next. Labels stay as they are.
func (s *secret) stopRotation() {
	s.rotation.stopTimer()
	s.rotation.next = time.Time{}
	if s.rotation.run != nil {
		s.rotation.run.cancel()
		s.rotation.run = nil
	}
}

// unfinished returns the version of a rotation that was not finished: AWSPENDING is on it, and AWSCURRENT on another.
func (s *secret) unfinished() *version {
	if v := s.labelled(pending); v != nil && !v.has(current) {
		return v
	}
	return nil
}

// preparePending makes the version that a rotation is to fill. It is there before the rotation function is called, and the function
// checks that it is.
func (s *secret) preparePending(id string, v value) (*version, error) {
	if err := s.roomForLabels(pending); err != nil {
		return nil, err
	}
	ver, err := s.add(id, v, time.Now())
	if err != nil {
		return nil, err
	}
	s.attach(pending, ver)
	return ver, nil
}
