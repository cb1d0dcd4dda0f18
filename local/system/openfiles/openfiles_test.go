package openfiles

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestALimitThatIsTooLowIsNamed(t *testing.T) {
	for needed, parts := range map[uint64][]string{
		520:  {"64 files", "needs 520", "`ulimit -n 1024`", "--nofile=1024"},
		1700: {"64 files", "needs 1700", "`ulimit -n 1700`", "--nofile=1700"},
	} {
		for _, part := range parts {
			if err := require(needed, 64); err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%d needed, 64 allowed: got %v, want …%s…", needed, err, part)
			}
		}
	}
	for _, limit := range []uint64{520, 1 << 20} {
		if err := require(520, limit); err != nil {
			t.Errorf("520 needed, %d allowed: got %v", limit, err)
		}
	}
	limit, err := softLimit()
	if err != nil {
		t.Fatal(err)
	}
	// The largest number stands for no limit.
	for needed, enough := range map[uint64]bool{limit: true, limit + 1: limit == math.MaxUint64} {
		if err := Require(needed); (err == nil) != enough {
			t.Errorf("%d needed, this process may have %d: got %v", needed, limit, err)
		}
	}
}

func TestTooManyOpenFilesNamesTheLimit(t *testing.T) {
	limit, err := softLimit()
	if err != nil {
		t.Fatal(err)
	}
	full := &os.PathError{Op: "open", Path: "/x", Err: syscall.EMFILE}
	got := Explain(full)
	if !errors.Is(got, syscall.EMFILE) || !strings.Contains(got.Error(), fmt.Sprintf("%d open", limit)) {
		t.Errorf("got %v, want an error that names the limit %d", got, limit)
	}
	for _, other := range []error{nil, os.ErrNotExist} {
		if got := Explain(other); got != other {
			t.Errorf("Explain(%v): got %v", other, got)
		}
	}
}
