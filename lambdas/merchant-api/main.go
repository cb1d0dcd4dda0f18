// Command merchant-api serves the merchant: products and their policies, stocktake, production orders, the stock ledger.
package main

import (
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"restock/internal/shop"
	"restock/internal/sns"
	"restock/internal/web"
	"restock/lambdas"
	"restock/lambdas/function"
	"restock/lambdas/journal"
)

func main() { function.Start(wire) }

func wire(p function.Process[lambdas.MerchantAPIEnvironment]) (any, error) {
	store, err := function.OpenStore(p.AWS, p.Environment.Database)
	if err != nil {
		return nil, err
	}
	topic := sns.Publisher{Client: awssns.NewFromConfig(p.AWS), TopicARN: p.Environment.StockEmptyTopic}
	api, err := newAPI(shop.Open(store, topic, journal.New(p.Log, p.Environment.Journal.Namespace)), p.Environment.FactoryLeadTime, p.Log)
	if err != nil {
		return nil, err
	}
	return web.Lambda(api), nil
}
