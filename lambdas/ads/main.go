// Command ads switches advertisements with the stock: off while a product is sold out, on again when it is not.
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

func main() { function.Start(wire) }

func wire(p function.Process[lambdas.AdsEnvironment]) (any, error) {
	store, err := function.OpenStore(p.AWS, p.Environment.Database)
	if err != nil {
		return nil, err
	}
	managers := sns.ManagerTopic{Client: awssns.NewFromConfig(p.AWS), TopicARN: p.Environment.OperationsTopic}
	return handler(ads.Switcher{Store: store, Notifier: managers, Log: p.Log}), nil
}

// A report is what was done.
type report struct {
	Switched int `json:"switched"`
}

// handler looks at all advertisements whatever the event is: a message that says that stock is empty, or the minute's schedule, by which stock
// that has arrived is noticed. What a message says may be old by now; the stock is not. An error fails the whole batch, which is tried again;
// an answer that names no failures is one of success.
func handler(s ads.Switcher) func(context.Context, json.RawMessage) (report, error) {
	return func(ctx context.Context, _ json.RawMessage) (report, error) {
		ctx, cancel := function.InTime(ctx)
		defer cancel()
		switched, err := s.Switch(ctx)
		return report{switched}, err
	}
}
