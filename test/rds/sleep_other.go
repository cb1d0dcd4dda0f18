//go:build !linux

package rds

import "time"

func sleep(d time.Duration) { time.Sleep(d) }
