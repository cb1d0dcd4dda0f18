// Command sweep, every minute, mends what was left undone, asks again for what is overdue, tells people, and looks whether the books are
// right. See shop.Sweep.
package main

import (
	"context"

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
	client := awssns.NewFromConfig(p.AWS)
	s := shop.Open(store, sns.Publisher{Client: client, TopicARN: p.Environment.StockEmptyTopic}, journal.New(p.Log, p.Environment.Journal.Namespace))
	s.Notifier = sns.Notifier{Client: client, TopicARN: p.Environment.OperationsTopic}
	return handler(s), nil
}

// A report is what a sweep did, and found.
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

// handler answers a schedule's event, in which nothing is of interest.
func handler(s *shop.Shop) func(context.Context) (report, error) {
	return func(ctx context.Context) (report, error) {
		ctx, cancel := function.InTime(ctx)
		defer cancel()
		r, err := s.Sweep(ctx)
		return report(r), err
	}
}
