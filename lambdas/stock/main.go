// Command stock asks the factory to produce what the messages in stock_queue need.
package main

import (
	"time"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/lambdas"
	"restock/lambdas/function"
)

func main() {
	function.Start(func(p function.Process[lambdas.StockEnvironment]) (any, error) {
		return purchasing{
			factory: factory.NewClient(p.Environment.FactoryURL, factoryTimeout),
			keys:    p.CallbackKeys(p.Environment.CallbackKey),
			apiURL:  p.Environment.APIURL,
			newID:   uuid.NewV7,
			now:     time.Now,
			journal: p.Journal(p.Environment.Journal),
		}.handle, nil
	})
}
