package scale_test

import (
	"testing"
	"time"

	"restock/infra/scale"
)

var (
	stage = scale.Stage{Name: "test", RatePerSecond: 2000, Burst: 1000, Instances: 140, Connections: 140, Processors: 2}
	asIs  = scale.Design{Name: "as it is", Buckets: 1}
	rush  = scale.Rush{BuyersPerSecond: 10_000, Duration: 2 * time.Second, Stock: 1_000_000}
)

func simulate(t *testing.T, s scale.Stage, d scale.Design, r scale.Rush, durations scale.Durations) scale.Outcome {
	t.Helper()
	o, err := scale.Simulate(s, d, r, durations, 1)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestEachBuyerIsInOneOutcomeAndNoPieceIsSoldTwice(t *testing.T) {
	for _, design := range []scale.Design{asIs, {Name: "buckets", Buckets: 7}, {Name: "reservations", Buckets: 1, Reservations: 10}, {Name: "both", Buckets: 3, Reservations: 10}} {
		for _, stock := range []int{0, 1, 100, 5000} {
			r := rush
			r.Stock = stock
			o := simulate(t, stage, design, r, scale.DefaultDurations(false))
			if o.Sold > stock {
				t.Errorf("%s: %d were sold of %d", design.Name, o.Sold, stock)
			}
			if o.Refused > 0 && o.Sold < stock {
				t.Errorf("%s: %d buyers were refused though %d of %d were left", design.Name, o.Refused, stock-o.Sold, stock)
			}
			came := o.Sold + o.Refused + o.Throttled + o.Unavailable
			if want := int(r.BuyersPerSecond * r.Duration.Seconds()); came < want*97/100 || came > want*103/100 {
				t.Errorf("%s: %d buyers came, want about %d", design.Name, came, want)
			}
			if admitted := o.Sold + o.Refused + o.Unavailable; admitted > stage.Burst+int(stage.RatePerSecond*r.Duration.Seconds())+1 {
				t.Errorf("%s: API Gateway let %d in, more than its bucket holds", design.Name, admitted)
			}
			if o.PeakInstances > stage.Instances || o.PeakConnections > stage.Connections {
				t.Errorf("%s: %d instances with %d connections at once, more than there are", design.Name, o.PeakInstances, o.PeakConnections)
			}
		}
	}
}

func TestAHotRowSellsAsFastAsItsLockIsGivenBack(t *testing.T) {
	durations := scale.DefaultDurations(false)
	durations.Commit, durations.ColdStart = 4*time.Millisecond, 0
	o := simulate(t, stage, asIs, rush, durations)
	if limit := float64(time.Second / durations.Commit); o.SoldPerSecond < 0.9*limit || o.SoldPerSecond > 1.1*limit {
		t.Errorf("sold %.0f a second, want about %.0f: the row is held for %v by each", o.SoldPerSecond, limit, durations.Commit)
	}
	if o.PeakInLine != stage.Instances-1 {
		t.Errorf("%d stood in line, want all instances but the one that is served, %d", o.PeakInLine, stage.Instances-1)
	}
	// Little's law: who is in line waits for all who are before him.
	if want := time.Duration(stage.Instances) * durations.Commit; o.P50 < want*8/10 || o.P50 > want*12/10 {
		t.Errorf("buyers waited %v, want about %v", o.P50, want)
	}
}

func TestRowsSellSideBySideUntilTheProcessorsAreBusy(t *testing.T) {
	durations := scale.DefaultDurations(false)
	open := stage
	open.RatePerSecond, open.Burst, open.Instances, open.Connections, open.Processors = 10_000, 5_000, 1000, 1000, 64
	one := simulate(t, open, asIs, rush, durations)
	four := simulate(t, open, scale.Design{Name: "4", Buckets: 4}, rush, durations)
	if ratio := four.SoldPerSecond / one.SoldPerSecond; ratio < 3.5 || ratio > 4.5 {
		t.Errorf("4 rows sell %.1f times what one does, want about 4", ratio)
	}
	open.Processors = 1
	busy := simulate(t, open, scale.Design{Name: "64", Buckets: 64}, rush, durations)
	if limit := float64(time.Second / durations.Processor); busy.SoldPerSecond > 1.1*limit {
		t.Errorf("64 rows sell %.0f a second, and a processor has time for %.0f", busy.SoldPerSecond, limit)
	}
}

func TestAnInstanceThatIsNotThereTurnsBuyersAway(t *testing.T) {
	small := stage
	small.Instances, small.Connections = 1, 1
	o := simulate(t, small, asIs, rush, scale.DefaultDurations(false))
	if o.Unavailable == 0 || o.PeakInstances != 1 || o.PeakInLine != 0 {
		t.Errorf("one instance: %+v; want buyers who got 503, and nobody in line for the row", o)
	}
}

func TestTheSameSeedIsTheSameRush(t *testing.T) {
	durations := scale.DefaultDurations(true)
	if a, b := simulate(t, stage, asIs, rush, durations), simulate(t, stage, asIs, rush, durations); a != b {
		t.Errorf("the same seed gave\n%+v, then\n%+v", a, b)
	}
}

func TestWhatCannotBeSimulatedIsRefused(t *testing.T) {
	noInstances, noRow, tooMany := stage, asIs, rush
	noInstances.Instances, noRow.Buckets, tooMany.BuyersPerSecond = 0, 0, 1e9
	for name, f := range map[string]func() (scale.Outcome, error){
		"no instances":    func() (scale.Outcome, error) { return scale.Simulate(noInstances, asIs, rush, scale.Durations{}, 1) },
		"no row":          func() (scale.Outcome, error) { return scale.Simulate(stage, noRow, rush, scale.Durations{}, 1) },
		"too many buyers": func() (scale.Outcome, error) { return scale.Simulate(stage, asIs, tooMany, scale.Durations{}, 1) },
	} {
		if o, err := f(); err == nil {
			t.Errorf("%s: it was simulated: %+v", name, o)
		}
	}
}
