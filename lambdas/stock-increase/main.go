// Command stock-increase books the factory's deliveries: it turns the signed callbacks in its queue
// into stock.
package main

import (
	"restock/lambdas"
	"restock/lambdas/function"
	"restock/lambdas/stock-increase/receiving"
)

func main() {
	function.Start(func(p function.Process[lambdas.StockIncreaseEnvironment]) (any, error) {
		s, err := p.Shop(p.Environment.Shop)
		if err != nil {
			return nil, err
		}
		return receiving.Handler{
			Shop: s, Keys: p.CallbackKeys(p.Environment.CallbackKey), Journal: p.Journal(p.Environment.Journal),
		}.Handle, nil
	})
}
