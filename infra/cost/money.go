package cost

import (
	"fmt"
	"math/big"
)

// Money is an amount in micro-dollars (US), so that sums are exact. Only String rounds it.
type Money int64

// Dollar is one US dollar.
const Dollar Money = 1_000_000

// String returns the amount in dollars and cents. It shows less than half a cent as "<$0.01".
func (m Money) String() string {
	const cent = Dollar / 100
	if m > 0 && m < cent/2 {
		return "<$0.01"
	}
	cents := int64(m+cent/2) / int64(cent)
	return fmt.Sprintf("$%s.%02d", thousands(cents/100), cents%100)
}

// scale returns m × numerator / denominator, rounded half up. The product may be larger than an
// int64; the result must not.
func (m Money) scale(numerator, denominator int64) Money {
	product := new(big.Int).Mul(big.NewInt(int64(m)), big.NewInt(numerator))
	product.Add(product, big.NewInt(denominator/2))
	return Money(product.Div(product, big.NewInt(denominator)).Int64())
}
