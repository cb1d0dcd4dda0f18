package traceid_test

import (
	"regexp"
	"testing"
	"time"

	"restock/local/aws/traceid"
)

// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func TestHeadersHaveTheirForm(t *testing.T) {
	at := time.Unix(0x648fca45, 0)
	for want, header := range map[string]func(time.Time) string{
		`^Root=1-648fca45-[0-9a-f]{24}$`:                               traceid.Root,
		`^Root=1-648fca45-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`: traceid.NotSampled,
	} {
		first, second := header(at), header(at)
		if !regexp.MustCompile(want).MatchString(first) || first == second {
			t.Errorf("got %q and %q, want two of the form %s", first, second, want)
		}
	}
}
