// Command stock-increase books the factory's deliveries: it turns signed callbacks into stock.
package main

import (
	"restock/internal/web"
	"restock/lambdas"
	"restock/lambdas/function"
)

func main() {
	function.Start(func(p function.Process[lambdas.StockIncreaseEnvironment]) (any, error) {
		s, err := p.Shop(p.Environment.Shop)
		if err != nil {
			return nil, err
		}
		handler, err := newReceiver(s, p.CallbackKeys(p.Environment.CallbackKey), p.Log)
		if err != nil {
			return nil, err
		}
		return web.Lambda(handler), nil
	})
}
