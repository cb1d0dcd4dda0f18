package cost

import (
	"fmt"
	"time"
)

// Assumptions are what the declared resources do not say: how much the shop is used, and what a use takes.
type Assumptions struct {
	CheckoutsPerMonth int64 `json:"checkoutsPerMonth"`
	// ReadsPerCheckout are the requests for the storefront and for products that go with one checkout.
	ReadsPerCheckout int64 `json:"readsPerCheckout"`
	// LotSize is how many sold units one production order replaces.
	LotSize int64 `json:"lotSize"`

	// What one invocation takes, in milliseconds that are billed.
	CheckoutMS int64 `json:"checkoutMs"`
	ReadMS     int64 `json:"readMs"`
	OrderMS    int64 `json:"orderMs"` // of the queue's function, which waits for the factory, and of the factory's callback
	SweepMS    int64 `json:"sweepMs"` // of a function on a schedule

	// Cold starts: how many of a thousand invocations, and what one takes beside; it reads the secrets once more.
	ColdStartsPerThousand int64 `json:"coldStartsPerThousand"`
	ColdStartMS           int64 `json:"coldStartMs"`

	LogBytes      int64 `json:"logBytes"`      // per invocation, with what Lambda itself writes
	LogCompressed int64 `json:"logCompressed"` // percent of their size that stored logs take
	ResponseBytes int64 `json:"responseBytes"` // per request, with headers
	EndpointBytes int64 `json:"endpointBytes"` // of a call through an interface endpoint, both ways

	// QueuePollers ask an event source's queue again every 20 s while it is empty:
	// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
	QueuePollers int64 `json:"queuePollers"`
	// CustomMetrics that the functions write to their logs: no resource declares them.
	CustomMetrics int64 `json:"customMetrics"`

	StorageUsed int64 `json:"storageUsed"` // percent of the database's storage that backups hold
	DailyChange int64 `json:"dailyChange"` // percent of that which each retained day adds
}

// longPoll is how long Lambda waits for a message.
const longPoll = 20 * time.Second

// DefaultAssumptions are guesses to be replaced by what a running stage shows.
func DefaultAssumptions() Assumptions {
	return Assumptions{
		CheckoutsPerMonth: million,
		ReadsPerCheckout:  4,
		LotSize:           100,

		CheckoutMS: 20,
		ReadMS:     10,
		OrderMS:    300,
		SweepMS:    50,

		ColdStartsPerThousand: 5,
		ColdStartMS:           300,

		LogBytes:      1500,
		LogCompressed: 15,
		ResponseBytes: 4096,
		EndpointBytes: 8192,

		QueuePollers: 5,

		StorageUsed: 50,
		DailyChange: 2,
	}
}

// describe says the assumptions in words, a line each.
func (a Assumptions) describe() []string {
	return []string{
		fmt.Sprintf("a checkout: %d ms, and %d reads of %d ms; %d bytes a response", a.CheckoutMS, a.ReadsPerCheckout, a.ReadMS, a.ResponseBytes),
		fmt.Sprintf("a production order: one every %d checkouts; each function of it %d ms", a.LotSize, a.OrderMS),
		fmt.Sprintf("a cold start: %d of 1,000 invocations; %d ms, one call for each of its secrets", a.ColdStartsPerThousand, a.ColdStartMS),
		fmt.Sprintf("a scheduled invocation: %d ms; functions that nothing triggers cost nothing", a.SweepMS),
		fmt.Sprintf("logs: %d bytes an invocation; stored for the group's retention at %d%% of the size", a.LogBytes, a.LogCompressed),
		fmt.Sprintf("endpoints: %d bytes a call", a.EndpointBytes),
		fmt.Sprintf("an empty queue: %d pollers, each asking every %.0f s", a.QueuePollers, longPoll.Seconds()),
		fmt.Sprintf("custom metrics: %d", a.CustomMetrics),
		fmt.Sprintf("backups: %d%% of the storage, and %d%% of that for each retained day; as much as the storage is free", a.StorageUsed, a.DailyChange),
		fmt.Sprintf("a month: %d hours; no free tier, no discount of volume or of a reservation, no tax", hoursPerMonth),
	}
}

// validate names the first assumption that nothing can be computed from.
func (a Assumptions) validate() error {
	// No amount gets near to what Money holds below this.
	const most = 1_000_000_000_000
	for _, c := range []struct {
		name         string
		value, least int64
	}{
		{"checkouts per month", a.CheckoutsPerMonth, 0}, {"reads per checkout", a.ReadsPerCheckout, 0}, {"lot size", a.LotSize, 1},
		{"checkout ms", a.CheckoutMS, 0}, {"read ms", a.ReadMS, 0}, {"order ms", a.OrderMS, 0}, {"sweep ms", a.SweepMS, 0},
		{"cold starts per thousand", a.ColdStartsPerThousand, 0}, {"cold start ms", a.ColdStartMS, 0},
		{"log bytes", a.LogBytes, 0}, {"compressed logs", a.LogCompressed, 0}, {"response bytes", a.ResponseBytes, 0},
		{"endpoint bytes", a.EndpointBytes, 0}, {"queue pollers", a.QueuePollers, 0}, {"custom metrics", a.CustomMetrics, 0},
		{"used storage", a.StorageUsed, 0}, {"daily change", a.DailyChange, 0},
	} {
		if c.value < c.least || c.value > most {
			return fmt.Errorf("%s is %d: %d to %d", c.name, c.value, c.least, int64(most))
		}
	}
	return nil
}
