package schedule

import (
	"fmt"
	"testing"
	"time"

	"restock/test/fuzzing"
)

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzParseRate checks that a rate is a valid period for a ticker, and that it is the one of the
// expression.
func FuzzParseRate(f *testing.F) {
	for _, expression := range []string{
		"rate(1 minute)", "rate(5 minutes)", "rate(2 days)", "rate(1 minutes)", "rate(0 minutes)", "rate(05 minutes)",
		"rate(106751 days)", "rate(106752 days)", "rate(213504 days)",
		"rate(9223372036854775807 hours)", "rate(99999999999999999999 days)", "rate(2 minutes)\n", "rate(٢ minutes)",
		"cron(0 0 * * ? *)", "",
	} {
		f.Add(expression)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		every, err := parseRate(expression)
		if err != nil {
			return
		}
		if every < time.Minute || every%time.Minute != 0 {
			t.Fatalf("%q is every %v", expression, every)
		}
		for unit, of := range units {
			n, plural := every/of, "s"
			if n == 1 {
				plural = ""
			}
			if every%of == 0 && expression == fmt.Sprintf("rate(%d %s%s)", n, unit, plural) {
				return
			}
		}
		t.Errorf("%q is every %v, which is not what it says", expression, every)
	})
}
