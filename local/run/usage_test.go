package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"restock/infra/policy/usage"
	"restock/local/aws/awsapi"
	"restock/local/aws/forward"
	"restock/local/aws/standin"
)

func TestOnlyServicesWhoseCallsAreCheckedAreJudged(t *testing.T) {
	s3 := forward.Models()[0]
	for name, c := range map[string]struct {
		standIn standin.StandIn
		want    int // services beside those that are always judged
	}{
		"a model":            {s3.StandIn(forward.Config{}), 1},
		"unchecked":          {s3.StandIn(forward.Config{Unchecked: true}), 0},
		"an unknown service": {forward.Unknown("glue").StandIn(forward.Config{}), 0},
		"a stand-in":         {standin.StandIn{Service: "sqs", APIs: []awsapi.Service{{Name: "sqs"}}}, 1},
	} {
		r := &Run{services: &services{standIns: []standin.StandIn{c.standIn}}}
		if got := r.Usage().Judged; len(got)-2 != c.want {
			t.Errorf("%s: got %v, want %d more than two", name, got, c.want)
		}
	}
}

func TestRunsAddTheirCallsToOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", UsageFile)
	if counts, err := ReadUsage(path); err != nil || len(counts.Times) > 0 {
		t.Errorf("no file: got %+v, %v; want no calls", counts, err)
	}
	call := usage.Call{Role: "role", Action: "sqs:SendMessage", Resource: "queue"}
	const runs = 8
	var group errgroup.Group
	for range runs {
		group.Go(func() error {
			r := &Run{config: Config{Usage: path}, services: &services{}}
			r.usage.Made(call)
			return r.keepUsage(t.Context())
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	counts, err := ReadUsage(path)
	if err != nil || counts.Times[call] != runs || len(counts.Judged) != 2 {
		t.Errorf("got %+v, %v; want %d calls", counts, err, runs)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadUsage(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("half a file: got %v, want an error that names it", err)
	}
}
