package lambda

import "sync"

// The account's concurrency in a region, and the part of it that cannot be reserved.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
const (
	DefaultConcurrency    = 1000
	UnreservedConcurrency = 100
	// NewAccountConcurrency is the quota of a new account. AWS says only that it is below 1,000:
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	// The number is from users: https://dev.to/aws-builders/managing-lambdaedge-service-quotas-6od
	NewAccountConcurrency = 10
)

// unreserved is the concurrency that the functions without a reservation share.
type unreserved struct {
	mu   sync.Mutex
	left int // neither reserved nor in use
	free int // not reserved
}

// reserve reserves n for one function.
func (u *unreserved) reserve(n int) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n > 0 && u.free-n < UnreservedConcurrency {
		return invalidParameter("Specified ReservedConcurrentExecutions for function decreases account's "+
			"UnreservedConcurrentExecution below its minimum value of [%d].", UnreservedConcurrency).
			Explained("its reserved concurrency of %d leaves %d of the account's to functions without a reservation; "+
				"%d must remain", n, u.free-n, UnreservedConcurrency)
	}
	u.free -= n
	u.left -= n
	return nil
}

// total returns the shared concurrency.
func (u *unreserved) total() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.free
}

// take takes one unit for an invocation. It returns false if none is left.
func (u *unreserved) take() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.left <= 0 {
		return false
	}
	u.left--
	return true
}

// put returns a unit that take took.
func (u *unreserved) put() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.left++
}
