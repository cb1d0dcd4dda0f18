// Package histories holds the shop to its rules. Its tests draw histories of buyers, merchants,
// deliveries, losses, sweeps, processes that die between any two steps, and time passing; live
// through them on a real database; and check after each what must hold.
//
//	go test ./test/histories                                                        # 1,000 histories
//	go test ./test/histories -run TestHistories -rapid.checks=100000 -timeout=0     # as many as are told
//	go test ./test/histories -run TestHistories/1 -rapid.seed=1950901101894709829   # one that failed, which says so
package histories
