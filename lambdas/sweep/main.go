// Command sweep, every minute, publishes the production orders that no sale could publish.
package main

import (
	"context"

	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"restock/internal/shop"
	"restock/internal/sns"
	"restock/lambdas"
	"restock/lambdas/function"
)

func main() { function.Start(wire) }

func wire(p function.Process[lambdas.SweepEnvironment]) (any, error) {
	store, err := function.OpenStore(p.AWS, p.Environment.Database)
	if err != nil {
		return nil, err
	}
	topic := sns.Publisher{Client: awssns.NewFromConfig(p.AWS), TopicARN: p.Environment.StockEmptyTopic}
	return handler(shop.Open(store, topic, p.Log)), nil
}

// A report is what a sweep did.
type report struct {
	Published int `json:"published"`
}

// handler answers a schedule's event, in which nothing is of interest.
func handler(s *shop.Shop) func(context.Context) (report, error) {
	return func(ctx context.Context) (report, error) {
		published, err := s.PublishPending(ctx)
		return report{published}, err
	}
}
