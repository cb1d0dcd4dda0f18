// Package histories tests the shop with random histories. A history is a sequence of actions:
// buyers buy, merchants change products, the factory delivers into its queue, sweeps run, messages
// are lost, processes die between two steps, time passes. Some actions run many callers in
// parallel. Each product has 1 to 32 bins, and their number changes. The tests run each history on
// a real database. Afterwards they check the rules of package invariants, that the stored data
// matches the answers that callers got, and that one order of all calls explains these answers: a
// sale succeeds if and only if enough is on hand.
//
// Run the usual number of histories, another number, or a failed one again (the failure prints the
// command). CI runs make verify, which runs more:
//
//	go test ./test/histories
//	go test ./test/histories -run TestHistories -rapid.checks=100000 -timeout=0
//	go test ./test/histories -run TestHistories -rapid.seed=1950901101894709829
//
// Callers that run in parallel, and the bin that a connection chooses, do not depend on the seed.
// So a history that failed may need several runs to fail again.
package histories
