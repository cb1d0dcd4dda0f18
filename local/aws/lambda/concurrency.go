package lambda

import (
	"fmt"
	"sync"
)

// What an account has of concurrency in a region, and how much of it can't be reserved.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
const (
	DefaultConcurrency    = 1000
	UnreservedConcurrency = 100
)

// unreserved is the concurrency that the functions share that have none reserved.
type unreserved struct {
	mu   sync.Mutex
	left int // of what is neither reserved nor in use
	free int // of what is not reserved
}

// reserve takes n away for one function.
func (u *unreserved) reserve(n int) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n > 0 && u.free-n < UnreservedConcurrency {
		return fmt.Errorf("its reserved concurrency of %d leaves %d of the account's to functions that reserve none; %d must remain",
			n, u.free-n, UnreservedConcurrency)
	}
	u.free -= n
	u.left -= n
	return nil
}

// total is how much there is to share.
func (u *unreserved) total() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.free
}

// take takes one, if one is left, for an invocation.
func (u *unreserved) take() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.left <= 0 {
		return false
	}
	u.left--
	return true
}

// put returns what take took.
func (u *unreserved) put() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.left++
}
