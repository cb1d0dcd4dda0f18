// Command sweep runs every minute. It publishes production orders that were left unpublished, asks
// the factory again for overdue ones, sends notices, and checks the books. See [shop.Shop.Sweep].
package main

import (
	"context"

	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"restock/internal/shop"
	"restock/internal/sns"
	"restock/lambdas"
	"restock/lambdas/function"
)

func main() {
	function.Start(func(p function.Process[lambdas.SweepEnvironment]) (any, error) {
		s, err := p.Shop(p.Environment.Shop)
		if err != nil {
			return nil, err
		}
		s.Notifier = sns.Notifier{Client: awssns.NewFromConfig(p.AWS), TopicARN: p.Environment.OperationsTopic}
		return handler(s), nil
	})
}

// A report is the function's answer: what the sweep did and found.
type report struct {
	Published     int `json:"published"`
	AskedAgain    int `json:"asked_again"`
	Failed        int `json:"failed"`
	Short         int `json:"short"`
	Notified      int `json:"notified"`
	Opened        int `json:"opened"`
	Overdue       int `json:"overdue"`
	Difference    int `json:"ledger_difference"`
	KeysForgotten int `json:"keys_forgotten"`
}

// handler runs a sweep for every event. The content of the schedule's event does not matter.
func handler(s *shop.Shop) func(context.Context) (report, error) {
	return func(ctx context.Context) (report, error) {
		r, err := s.Sweep(ctx)
		return report(r), err
	}
}
