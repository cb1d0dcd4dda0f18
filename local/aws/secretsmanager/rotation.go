package secretsmanager

import (
	"time"

	"github.com/google/uuid"
)

// rotation is the rotation configuration of a secret and its current rotation.
type rotation struct {
	functionARN string // "" if rotation was never configured
	rules       RotationRules
	schedule    schedule // nil if the rules have none
	enabled     bool     // rotate on schedule
	last        time.Time
	next        time.Time    // end of the next rotation's window; in the past after a failed rotation
	timer       *time.Timer  // fires when that window opens; nil if there is none
	run         *rotationRun // nil unless a rotation is running
}

// schedule sets the time of the next rotation, relative to now, if rotation is enabled. It requires
// the lock.
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
		if r.timer != timer { // it was stopped while it waited for the lock
			return
		}
		r.timer = nil
		if r.run == nil {
			s.rotateOnSchedule(sec)
		}
	})
	r.timer = timer
}

// rotateOnSchedule starts a rotation, or restarts the unfinished one. It requires the lock.
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

// stopRotation stops the running rotation, if any, and the timer of the next one. It leaves the
// labels unchanged.
func (s *secret) stopRotation() {
	s.rotation.stopTimer()
	s.rotation.next = time.Time{}
	if s.rotation.run != nil {
		s.rotation.run.cancel()
		s.rotation.run = nil
	}
}

// unfinished returns the version of an unfinished rotation: it has AWSPENDING, and another version
// has AWSCURRENT.
func (s *secret) unfinished() *version {
	if v := s.labelled(pending); v != nil && !v.has(current) {
		return v
	}
	return nil
}

// preparePending creates the version for a rotation. It must exist before the rotation function is
// called, because the function checks it.
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
