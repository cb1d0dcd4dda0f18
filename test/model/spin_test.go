package model

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var spin = flag.Bool("spin", false, "check protocol.pml with Spin: minutes")

// TestSpinAgrees compares the verdicts of two model checkers, which share nothing but the
// description of the protocol: on the protocol, and on each mutant. Spin is Debian's package spin;
// it needs a C compiler.
//
//	https://spinroot.com/spin/Man/Spin.html
func TestSpinAgrees(t *testing.T) {
	if !*spin {
		t.Skip("this takes minutes: make second-opinion runs it")
	}
	for _, program := range []string{"spin", "gcc"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no second opinion on the model: %v; install it with: apt-get install spin gcc", err)
		}
	}
	for _, b := range []Bounds{
		{Bins: 2, Stock: 2, Buyers: []int{2}, Orders: 1, Lots: 2, Faults: 1},
		{Bins: 1, Stock: 1, Buyers: []int{2}, Orders: 1, Lots: 1, Cancels: 1, Rotations: 2},
	} {
		t.Run(fmt.Sprintf("%+v", b), func(t *testing.T) {
			if errors, output := verify(t, b, ""); errors != "0" {
				t.Errorf("Spin finds a mistake in the protocol:\n%s", output)
			}
		})
	}
	for _, x := range mutants {
		t.Run(x.name, func(t *testing.T) {
			if errors, output := verify(t, x.model().Bounds, x.macro); errors != "1" {
				t.Errorf("Spin finds no mistake in the mutant %s:\n%s", x.macro, output)
			}
		})
	}
}

var errorsFound = regexp.MustCompile(`errors: (\d+)`)

// verify runs Spin, and returns the number of errors that it finds. It stops at the first one.
func verify(t *testing.T, b Bounds, mutant string) (errors, output string) {
	t.Helper()
	source, err := filepath.Abs("protocol.pml")
	if err != nil {
		t.Fatal(err)
	}
	macros := []string{"-a"}
	for name, value := range map[string]int{
		"BINS": b.Bins, "STOCK": b.Stock, "BUYERS": len(b.Buyers), "ORDERS": b.Orders, "LOTS": b.Lots,
		"FAULTS": b.Faults, "CANCELS": b.Cancels, "ROTATIONS": b.Rotations,
	} {
		macros = append(macros, fmt.Sprintf("-D%s=%d", name, value))
	}
	for i, wants := range b.Buyers {
		macros = append(macros, fmt.Sprintf("-DWANTS_%d=%d", i, wants))
	}
	if mutant != "" {
		macros = append(macros, "-D"+mutant)
	}
	dir := t.TempDir()
	for _, command := range [][]string{
		append(append([]string{"spin"}, macros...), source),
		{"gcc", "-O1", "-w", "-DVECTORSZ=4096", "-o", "pan", "pan.c"},
		{"./pan", "-a", "-n", "-m1000000"}, // liveness; not the list of unreached code; the largest depth
	} {
		c := exec.CommandContext(t.Context(), command[0], command[1:]...) // #nosec G204 -- the commands above
		c.Dir, c.Env = dir, append(os.Environ(), "LC_ALL=C")
		text, err := c.CombinedOutput()
		if output = string(text); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, output)
		}
	}
	if strings.Contains(output, "max search depth too small") || !errorsFound.MatchString(output) {
		t.Fatalf("Spin has not searched everything:\n%s", output)
	}
	return errorsFound.FindStringSubmatch(output)[1], output
}
