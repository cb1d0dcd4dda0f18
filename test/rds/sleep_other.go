//go:build !linux

package rds

import "time"

// Sleep is as exact as time.Sleep.
func Sleep(d time.Duration) { time.Sleep(d) }
