package scale

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// DefaultDurations are what the parts take, to be replaced by what a running stage shows. Processor is read off docs/benchmarks.md, where two
// processors serve the database and its buyers together, as t4g has two; Commit is of storage in one zone (gp3), and twice that where
// a second zone has to have it too. The others are guesses on the safe side.
func DefaultDurations(multiAZ bool) Durations {
	d := Durations{
		ColdStart: 300 * time.Millisecond,
		Function:  4 * time.Millisecond,
		RoundTrip: 500 * time.Microsecond,
		Processor: 400 * time.Microsecond,
		Commit:    1500 * time.Microsecond,
		Enqueue:   8 * time.Millisecond,
	}
	if multiAZ {
		d.Commit *= 2
	}
	return d
}

// A Scenario is a question: what if these buyers came to this stage, with stock kept in this way?
type Scenario struct {
	Name      string
	Stage     Stage
	Design    Design
	Rush      Rush
	Durations Durations
}

// AsItIs is the design of the shop: a row a product, buyers are served at once.
var AsItIs = Design{Name: "as it is", Buckets: 1}

// Scenarios ask what a rush does to a stage as it is, and at which point what would pay.
func Scenarios(s Stage, multiAZ bool, rush Rush) []Scenario {
	d := DefaultDurations(multiAZ)
	plenty := rush
	plenty.Stock = 1_000_000
	open := s
	open.Name, open.RatePerSecond, open.Burst = s.Name+", throttling 10,000/s", 10_000, 5_000 // the quota of an account
	proxied := open
	proxied.Name, proxied.Instances = open.Name+", 1,000 instances behind RDS Proxy", 1_000
	large := proxied
	large.Name, large.Processors, large.Connections = proxied.Name+", 8 processors", 8, 600
	return []Scenario{
		{"the stock of a lot", s, AsItIs, rush, d},
		{"stock for everybody", s, AsItIs, plenty, d},
		{"no throttling but the account's", open, AsItIs, plenty, d},
		{"more instances, behind RDS Proxy", proxied, AsItIs, plenty, d},
		{"stock over 8 rows", open, Design{"8 rows", 8, 0}, plenty, d},
		{"stock over 8 rows, 8 processors, proxy", large, Design{"8 rows", 8, 0}, plenty, d},
		{"reservations, in batches of 10", proxied, Design{"reservations", 1, 10}, plenty, d},
		{"reservations, in batches of 100", proxied, Design{"reservations", 1, 100}, plenty, d},
	}
}

// Print simulates scenarios and prints a line for each, as a table of Markdown.
func Print(w io.Writer, scenarios []Scenario, seed uint64) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t, "| what if \t| sold \t| a second \t| refused \t| 503 \t| 429 \t| p50 \t| p99 \t| instances \t| in line \t| row busy \t| processors busy \t|")
	fmt.Fprintln(t, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, s := range scenarios {
		o, err := Simulate(s.Stage, s.Design, s.Rush, s.Durations, seed)
		if err != nil {
			return fmt.Errorf("simulating %q: %w", s.Name, err)
		}
		inLine := o.PeakInLine
		if s.Design.Reservations > 0 {
			inLine = o.PeakQueue
		}
		fmt.Fprintf(t, "| %s \t| %d \t| %.0f \t| %d \t| %d \t| %d \t| %s \t| %s \t| %d \t| %d \t| %.0f%% \t| %.0f%% \t|\n",
			s.Name, o.Sold, o.SoldPerSecond, o.Refused, o.Unavailable, o.Throttled, shown(o.P50), shown(o.P99), o.PeakInstances, inLine,
			100*o.RowBusy, 100*o.ProcessorsBusy)
	}
	return t.Flush()
}

func shown(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
