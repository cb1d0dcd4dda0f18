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
	"restock/lambdas/journal"
)

func main() { function.Start(wire) }

func wire(p function.Process[lambdas.StockEnvironment]) (any, error) {
	return purchasing{
		factory: factory.NewClient(p.Environment.FactoryURL, factoryTimeout),
		keys:    secrets.NewCallbackKeys(secretsmanager.NewFromConfig(p.AWS), p.Environment.CallbackKey, p.Log, time.Now),
		apiURL:  p.Environment.APIURL,
		newID:   uuid.NewV7,
		now:     time.Now,
		journal: journal.New(p.Log, p.Environment.Journal.Namespace),
	}.handle, nil
}
