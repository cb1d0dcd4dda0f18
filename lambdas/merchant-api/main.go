// Command merchant-api serves the merchant's API: products and their policies, stocktake,
// production orders, the stock ledger.
package main

import (
	"restock/internal/web"
	"restock/lambdas"
	"restock/lambdas/function"
)

func main() {
	function.Start(func(p function.Process[lambdas.MerchantAPIEnvironment]) (any, error) {
		s, err := p.Shop(p.Environment.Shop)
		if err != nil {
			return nil, err
		}
		handler, err := newAPI(s, p.Environment.FactoryLeadTime, p.Log)
		if err != nil {
			return nil, err
		}
		return web.Lambda(handler), nil
	})
}
