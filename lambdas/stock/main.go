// Command stock asks the factory to produce what the messages in stock_queue need.
package main

import (
	"time"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/lambdas"
	"restock/lambdas/function"
	"restock/lambdas/stock/purchasing"
)

func main() {
	function.Start(func(p function.Process[lambdas.StockEnvironment]) (any, error) {
		return purchasing.Handler{
			Factory: factory.NewClient(p.Environment.FactoryURL, purchasing.FactoryTimeout, p.Transport()),
			Keys:    p.CallbackKeys(p.Environment.CallbackKey),
			APIURL:  p.Environment.APIURL,
			NewID:   uuid.NewV7,
			Now:     time.Now,
			Journal: p.Journal(p.Environment.Journal),
		}.Handle, nil
	})
}
