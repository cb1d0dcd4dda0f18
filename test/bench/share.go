package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	// sharePeriod is the period in which a process gets its share of a processor, with which the
	// kernel limits it.
	sharePeriod = 20 * time.Millisecond
	// wholeProcessorMB is the memory with which a function gets one processor:
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
	wholeProcessorMB = 1769
)

// A share is a cgroup that limits processes to a share of a processor.
type share struct {
	folder     string
	processors float64
	err        error // why nothing is limited
}

// newShare makes a cgroup with the share of a function with an amount of memory. Most machines
// allow it only to root.
func newShare(memoryMB int) *share {
	quota := sharePeriod.Microseconds() * int64(memoryMB) / wholeProcessorMB
	period := strconv.FormatInt(sharePeriod.Microseconds(), 10)
	name := fmt.Sprintf("restock-bench-%d", os.Getpid())
	s := &share{ // of version 1
		folder:     filepath.Join("/sys/fs/cgroup/cpu", name),
		processors: float64(memoryMB) / wholeProcessorMB,
	}
	files := [][2]string{{"cpu.cfs_period_us", period}, {"cpu.cfs_quota_us", strconv.FormatInt(quota, 10)}}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil { // version 2
		s.folder = filepath.Join("/sys/fs/cgroup", name)
		files = [][2]string{{"cpu.max", fmt.Sprintf("%d %s", quota, period)}}
	}
	if s.err = os.Mkdir(s.folder, 0o755); s.err != nil {
		return s
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(s.folder, f[0]), []byte(f[1]), 0o644); err != nil {
			_ = os.Remove(s.folder)
			s.err = err
			return s
		}
	}
	return s
}

// String says how much the processes get.
func (s *share) String() string {
	if s.err != nil {
		return fmt.Sprintf("the processor is not limited (%v)", s.err)
	}
	return fmt.Sprintf("%.2f of a processor", s.processors)
}

// add limits a process from now on.
func (s *share) add(pid int) error {
	if s.err != nil {
		return nil
	}
	return os.WriteFile(filepath.Join(s.folder, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644)
}

// refill waits until idle processes have their whole share again.
func (s *share) refill() { time.Sleep(2 * sharePeriod) }

// remove removes the cgroup. Its processes must have ended.
func (s *share) remove() error {
	if s.err != nil {
		return nil
	}
	return os.Remove(s.folder)
}
