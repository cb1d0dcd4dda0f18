// Command stock asks the factory to produce what stock_queue says is needed.
package main

import (
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
		key:     secrets.New[secrets.CallbackKey](secretsmanager.NewFromConfig(p.AWS), p.Environment.CallbackKey),
		apiURL:  p.Environment.APIURL,
		newID:   uuid.NewV7,
		journal: journal.New(p.Log, p.Environment.Journal.Namespace),
	}.handle, nil
}
