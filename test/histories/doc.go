// Package histories tests the shop with random histories. A history is a sequence of actions:
// buyers buy, merchants change products, the factory delivers, sweeps run, messages are lost,
// processes die between two steps, time passes. The tests run each history on a real database.
// Afterwards they check the rules of package invariants and that the stored data matches the
// answers that callers got.
//
// Run 1,000 histories, another number, or a failed one again (the failure prints the command):
//
//	go test ./test/histories
//	go test ./test/histories -run TestHistories -rapid.checks=100000 -timeout=0
//	go test ./test/histories -run TestHistories/1 -rapid.seed=1950901101894709829
package histories
