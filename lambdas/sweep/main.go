// Command sweep, every minute, publishes the production orders that no sale could publish, and looks whether the books are right and
// what was ordered has come.
package main

import (
	"context"
	"errors"
	"time"

	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"restock/internal/shop"
	"restock/internal/sns"
	"restock/lambdas"
	"restock/lambdas/function"
	"restock/lambdas/journal"
)

func main() { function.Start(wire) }

func wire(p function.Process[lambdas.SweepEnvironment]) (any, error) {
	store, err := function.OpenStore(p.AWS, p.Environment.Database)
	if err != nil {
		return nil, err
	}
	topic := sns.Publisher{Client: awssns.NewFromConfig(p.AWS), TopicARN: p.Environment.StockEmptyTopic}
	s := shop.Open(store, topic, journal.New(p.Log, p.Environment.Journal.Namespace))
	return handler(s, p.Environment.FactoryLeadTime), nil
}

// A report is what a sweep did.
type report struct {
	Published int `json:"published"`
	Overdue   int `json:"overdue"`
}

// handler answers a schedule's event, in which nothing is of interest.
func handler(s *shop.Shop, leadTime time.Duration) func(context.Context) (report, error) {
	return func(ctx context.Context) (report, error) {
		published, publishErr := s.PublishPending(ctx)
		inspection, err := s.Inspect(ctx, leadTime)
		return report{Published: published, Overdue: len(inspection.Overdue)}, errors.Join(publishErr, err)
	}
}
