// Command ads switches advertisements with the stock: off while a product is sold out, on again
// when it is in stock.
package main

import (
	"context"
	"encoding/json"

	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"restock/internal/ads"
	"restock/internal/sns"
	"restock/lambdas"
	"restock/lambdas/function"
)

func main() {
	function.Start(func(p function.Process[lambdas.AdsEnvironment]) (any, error) {
		store, err := p.Store(p.Environment.Database)
		if err != nil {
			return nil, err
		}
		managers := sns.ManagerTopic{Client: awssns.NewFromConfig(p.AWS), TopicARN: p.Environment.OperationsTopic}
		return handler(ads.Switcher{Store: store, Notifier: managers, Log: p.Log}), nil
	})
}

// A report is the function's answer.
type report struct {
	Switched int `json:"switched"`
}

// handler checks all advertisements, whatever the event: a stock_empty message, or the schedule,
// which finds stock that has arrived. A message may be old, so handler reads the stock itself.
//
// An error fails the whole batch, and SQS delivers it again. An answer without batchItemFailures
// reports success for the whole batch.
func handler(s ads.Switcher) func(context.Context, json.RawMessage) (report, error) {
	return func(ctx context.Context, _ json.RawMessage) (report, error) {
		switched, err := s.Switch(ctx)
		return report{switched}, err
	}
}
