package stack

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"restock/internal/factory/legacy"
	"restock/lambdas"
)

func TestNumbersInSettingsHaveLimits(t *testing.T) {
	storage := func(s *Settings, least, most int) { s.Database.StorageGiB, s.Database.MaxStorageGiB = least, most }
	rate := func(s *Settings, n int) { s.Throttling.Checkouts.RatePerSecond = float64(n) }
	burst := func(s *Settings, n int) { s.Throttling.Deliveries.Burst = n }
	defaults := Defaults()
	defaults.complete()
	least := versionsAtOnce*defaults.connections() + reservedConnections
	for _, c := range []struct {
		key      string
		min, max int
		set      func(s *Settings, n int)
	}{
		{"factoryLeadTimeSeconds", 1, 7 * 24 * 60 * 60, func(s *Settings, n int) { s.FactoryLeadTimeSeconds = n }},
		{"logRetentionDays", 1, 3653, func(s *Settings, n int) { s.LogRetentionDays = n }},
		{"secretRecoveryDays", 7, 30, func(s *Settings, n int) { s.SecretRecoveryDays = n }},
		{"database.storageGiB", 20, 65536, func(s *Settings, n int) { storage(s, n, 0) }},
		{"database.maxStorageGiB", 22, 65536, func(s *Settings, n int) { storage(s, 20, n) }},
		{"database.backupRetentionDays", 0, 35, func(s *Settings, n int) { s.Database.BackupRetentionDays = n }},
		{"database.maxConnections", least, 85, func(s *Settings, n int) { s.Database.MaxConnections = n }},
		{"throttling.checkouts.ratePerSecond", 1, maxThrottling, rate},
		{"throttling.deliveries.burst", 1, maxThrottling, burst},
		{"concurrency.stock", 2, 1000, func(s *Settings, n int) { s.Concurrency["stock"] = n }}, // it uses no database
	} {
		validate := func(n int) error {
			s := Defaults()
			s.Zones, s.FactoryURL = []string{"ap-northeast-2a", "ap-northeast-2c"}, "https://factory.example.com"
			s.complete()
			c.set(&s, n)
			return s.validate("ap-northeast-2")
		}
		for _, n := range []int{c.min, c.max} {
			if err := validate(n); err != nil {
				t.Errorf("%s is %d: got %v, want no error", c.key, n, err)
			}
		}
		// The lower 32 bits of the last two numbers are those of min.
		for _, n := range []int{c.min - 1, c.max + 1, c.min + 1<<32, c.min - 1<<32} {
			integer, float := fmt.Sprintf("%s is %v", c.key, n), fmt.Sprintf("%s is %v", c.key, float64(n))
			err := validate(n)
			if err == nil || !strings.Contains(err.Error(), integer) && !strings.Contains(err.Error(), float) {
				t.Errorf("%s is %d: got %v, want an error that names both", c.key, n, err)
			}
		}
	}
}

// A callback whose signature cannot be judged yet stays in flight for the visibility timeout. When
// 120,000 messages are in flight, SQS delivers none:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
// So the most forged callbacks that the API lets pass must not be as many in that time. And the
// queue must deliver a callback again before the sweep, two lead times after the request, asks the
// factory for a second lot: the factory calls back after 40 s at least.
func TestForgedCallbacksDoNotStopTheQueueOfDeliveries(t *testing.T) {
	hidden := visibilityTimeouts * lambdas.StockIncrease.Timeout
	s := Defaults()
	if most := s.Throttling.Deliveries.RatePerSecond * hidden.Seconds(); most >= 120_000 {
		t.Errorf("%.0f forged callbacks may be in flight, want fewer than 120,000", most)
	}
	patience := 2*time.Duration(s.FactoryLeadTimeSeconds)*time.Second - legacy.LeadTime
	if again := lambdas.StockIncrease.Timeout + hidden; again >= patience {
		t.Errorf("a delivery is tried again after %v, want it before the sweep asks again, after %v", again, patience)
	}
}
