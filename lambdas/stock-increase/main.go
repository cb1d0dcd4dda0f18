// Command stock-increase books the factory's deliveries: the signed callback becomes stock.
package main

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/internal/sns"
	"restock/internal/web"
	"restock/lambdas"
	"restock/lambdas/function"
	"restock/lambdas/journal"
)

func main() { function.Start(wire) }

func wire(p function.Process[lambdas.StockIncreaseEnvironment]) (any, error) {
	store, err := function.OpenStore(p.AWS, p.Environment.Database)
	if err != nil {
		return nil, err
	}
	keys := secrets.NewCallbackKeys(secretsmanager.NewFromConfig(p.AWS), p.Environment.CallbackKey, p.Log, time.Now)
	topic := sns.Publisher{Client: awssns.NewFromConfig(p.AWS), TopicARN: p.Environment.StockEmptyTopic}
	handler, err := newReceiver(shop.Open(store, topic, journal.New(p.Log, p.Environment.Journal.Namespace)), keys, p.Log)
	if err != nil {
		return nil, err
	}
	return web.Lambda(handler), nil
}
