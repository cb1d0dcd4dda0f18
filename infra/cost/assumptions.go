package cost

import (
	"fmt"
	"time"
)

// Assumptions are facts that the declared resources do not show: how often the shop is used, and
// the resources that each use takes.
type Assumptions struct {
	CheckoutsPerMonth int64 `json:"checkoutsPerMonth"`
	// ReadsPerCheckout is the number of requests for products and for the storefront per checkout.
	ReadsPerCheckout int64 `json:"readsPerCheckout"`
	// CDNHits is the share of these requests that CloudFront answers from its cache, in percent. A
	// rush has more.
	CDNHits int64 `json:"cdnHits"`
	// LotSize is the number of sold units per production order.
	LotSize int64 `json:"lotSize"`

	// The billed time of one invocation, in milliseconds.
	CheckoutMS int64 `json:"checkoutMs"`
	ReadMS     int64 `json:"readMs"`
	// OrderMS is for the queue's function, which calls the factory, and for the factory's callback.
	OrderMS int64 `json:"orderMs"`
	SweepMS int64 `json:"sweepMs"` // for a function with a schedule

	// Cold starts per thousand invocations, and the added time of one. A cold start reads each
	// secret.
	ColdStartsPerThousand int64 `json:"coldStartsPerThousand"`
	ColdStartMS           int64 `json:"coldStartMs"`

	// Traced is the share of invocations that X-Ray keeps a trace of, in percent, if the stage
	// records traces. X-Ray keeps one a second and 5% of the others, so it keeps those of all
	// schedules.
	Traced int64 `json:"traced"`

	LogBytes      int64 `json:"logBytes"`      // per invocation, with Lambda's own lines
	LogCompressed int64 `json:"logCompressed"` // size of stored logs, in percent of the written bytes
	AccessBytes   int64 `json:"accessBytes"`   // of the API's access log, per request
	ResponseBytes int64 `json:"responseBytes"` // per request, with headers
	EndpointBytes int64 `json:"endpointBytes"` // of a call through an interface endpoint, both ways

	// QueuePollers is the number of pollers of an event source. Each polls an empty queue every
	// 20 seconds:
	// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
	QueuePollers int64 `json:"queuePollers"`
	// CustomMetrics is the number of metrics that the functions write to their logs. No resource
	// declares them.
	CustomMetrics int64 `json:"customMetrics"`

	StorageUsed int64 `json:"storageUsed"` // size of a backup, in percent of the database's storage
	DailyChange int64 `json:"dailyChange"` // added size per retained day, in percent of the backup
}

// longPoll is the time that Lambda waits for a message of a queue.
const longPoll = 20 * time.Second

// DefaultAssumptions are guesses. Replace them with measurements of a running stage.
func DefaultAssumptions() Assumptions {
	return Assumptions{
		CheckoutsPerMonth: million,
		ReadsPerCheckout:  4,
		CDNHits:           80,
		LotSize:           100,

		CheckoutMS: 20,
		ReadMS:     10,
		OrderMS:    300,
		SweepMS:    50,

		ColdStartsPerThousand: 5,
		ColdStartMS:           300,

		Traced: 50, // two invocations a second

		LogBytes:      1500,
		LogCompressed: 15,
		AccessBytes:   500,
		ResponseBytes: 4096,
		EndpointBytes: 8192,

		QueuePollers:  5,
		CustomMetrics: 18, // of lambdas/metrics.go, with one product

		StorageUsed: 50,
		DailyChange: 2,
	}
}

// describe returns the assumptions in words, one in a line.
func (a Assumptions) describe() []string {
	return []string{
		fmt.Sprintf("a checkout: %d ms, and %d reads of %d ms; %d bytes a response", a.CheckoutMS, a.ReadsPerCheckout,
			a.ReadMS, a.ResponseBytes),
		fmt.Sprintf("a production order: one every %d checkouts; each function of it %d ms", a.LotSize, a.OrderMS),
		fmt.Sprintf("a cold start: %d of 1,000 invocations; %d ms, one call for each of its secrets",
			a.ColdStartsPerThousand, a.ColdStartMS),
		fmt.Sprintf("a scheduled invocation: %d ms; functions that nothing triggers cost nothing", a.SweepMS),
		fmt.Sprintf("traces: of %d%% of the invocations, if the stage records them", a.Traced),
		fmt.Sprintf("logs: %d bytes an invocation, %d a request; stored for the group's retention at %d%% of the size",
			a.LogBytes, a.AccessBytes, a.LogCompressed),
		fmt.Sprintf("endpoints: %d bytes a call", a.EndpointBytes),
		fmt.Sprintf("an empty queue: %d pollers, each asking every %.0f s", a.QueuePollers, longPoll.Seconds()),
		fmt.Sprintf("custom metrics: %d", a.CustomMetrics),
		fmt.Sprintf("backups: %d%% of the storage, and %d%% of that for each retained day; as much as the storage is "+
			"free", a.StorageUsed, a.DailyChange),
		fmt.Sprintf("a month: %d hours; no free tier, no discount of volume or of a reservation, no tax",
			hoursPerMonth),
	}
}

// validate returns an error that names the first assumption out of range. Within the ranges no
// quantity overflows.
func (a Assumptions) validate() error {
	const (
		// The longest invocation, in milliseconds:
		// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
		longest = 15 * 60 * 1000
		// The largest response of an HTTP API, in bytes:
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
		largest = 10 << 20
	)
	for _, c := range []struct {
		name               string
		value, least, most int64
	}{
		{"checkouts per month", a.CheckoutsPerMonth, 0, million * million},
		{"reads per checkout", a.ReadsPerCheckout, 0, 100},
		{"percent of reads from CloudFront's cache", a.CDNHits, 0, 100},
		{"lot size", a.LotSize, 1, million},
		{"ms of a checkout", a.CheckoutMS, 0, longest},
		{"ms of a read", a.ReadMS, 0, longest},
		{"ms of a production order", a.OrderMS, 0, longest},
		{"ms of a scheduled invocation", a.SweepMS, 0, longest},
		{"cold starts per thousand", a.ColdStartsPerThousand, 0, 1000},
		{"ms of a cold start", a.ColdStartMS, 0, longest},
		{"percent of traced invocations", a.Traced, 0, 100},
		{"log bytes", a.LogBytes, 0, largest},
		{"percent of compressed logs", a.LogCompressed, 0, 100},
		{"bytes of a request in the access log", a.AccessBytes, 0, largest},
		{"bytes of a response", a.ResponseBytes, 0, largest},
		{"bytes of a call through an endpoint", a.EndpointBytes, 0, largest},
		{"pollers of a queue", a.QueuePollers, 0, 1000},
		{"custom metrics", a.CustomMetrics, 0, million},
		{"percent of used storage", a.StorageUsed, 0, 100},
		{"percent of daily change", a.DailyChange, 0, 100},
	} {
		if c.value < c.least || c.value > c.most {
			return fmt.Errorf("the assumption %s is %d: want %d to %d", c.name, c.value, c.least, c.most)
		}
	}
	return nil
}
