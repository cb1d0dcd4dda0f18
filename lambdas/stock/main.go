// Command stock asks the factory to produce what stock_queue says is needed.
package main

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/secrets"
	"restock/lambdas"
	"restock/lambdas/function"
)

// factoryTimeout is how long the factory may take to answer; it answers before it begins to work. It leaves the function
// the time to report what failed.
const factoryTimeout = 5 * time.Second

func main() { function.Start(wire) }

func wire(p function.Process[lambdas.StockEnvironment]) (any, error) {
	return purchasing{
		factory: factory.NewClient(p.Environment.FactoryURL, factoryTimeout),
		key:     secrets.New[secrets.CallbackKey](secretsmanager.NewFromConfig(p.AWS), p.Environment.CallbackKey),
		apiURL:  p.Environment.APIURL,
		newID:   uuid.NewV7,
		log:     p.Log,
	}.handle, nil
}
