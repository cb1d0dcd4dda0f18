// Command merchant-api serves the merchant's API: products and their policies, stocktake,
// production orders, sales, the stock ledger.
package main

import (
	"restock/internal/web"
	"restock/lambdas"
	"restock/lambdas/function"
	"restock/lambdas/merchant-api/managing"
)

func main() {
	function.Start(func(p function.Process[lambdas.MerchantAPIEnvironment]) (any, error) {
		s, err := p.Shop(p.Environment.Shop)
		if err != nil {
			return nil, err
		}
		handler, err := managing.NewAPI(s, p.Environment.FactoryLeadTime, p.Log)
		if err != nil {
			return nil, err
		}
		return web.Lambda(handler), nil
	})
}
