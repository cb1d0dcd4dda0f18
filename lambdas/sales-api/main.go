// Command sales-api serves the storefront and the shop's API.
package main

import (
	"restock/internal/web"
	"restock/lambdas"
	"restock/lambdas/function"
	"restock/lambdas/sales-api/selling"
)

func main() {
	function.Start(func(p function.Process[lambdas.SalesAPIEnvironment]) (any, error) {
		s, err := p.Shop(p.Environment.Shop)
		if err != nil {
			return nil, err
		}
		handler, err := selling.NewAPI(s, p.Log)
		if err != nil {
			return nil, err
		}
		return web.Lambda(handler), nil
	})
}
