//go:build !linux

package mysql_test

import "time"

func sleep(d time.Duration) { time.Sleep(d) }
