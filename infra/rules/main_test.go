package rules_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets the tests collect garbage less often. They copy a graph for each example and keep
// none. Collecting it took a sixth of their time. Their memory stays below 200 MB.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
