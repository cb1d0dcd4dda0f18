package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	gomysql "github.com/go-sql-driver/mysql"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/mysql/invariants"
	"restock/internal/secrets"
	"restock/internal/secrets/secretstest"
	"restock/internal/shop"
	"restock/internal/sns"
	"restock/internal/web"
	"restock/lambdas/journal"
	"restock/lambdas/sales-api/selling"
	"restock/lambdas/stock-increase/receiving"
	"restock/lambdas/stock/purchasing"
)

// A config says which month to run.
type config struct {
	Seed    uint64
	Days    int
	Verbose bool
	Admin   *gomysql.Config // the administrator of an empty database

	breakage func(shop.Store) shop.Store // a store with a bug, for tests; nil: none
	sabotage func(*world)                // puts a bug elsewhere, for tests; nil: none
}

// A product of the shop, and what became of it.
type product struct {
	SKU             string    `json:"sku"`
	Name            string    `json:"name"`
	ID              uuid.UUID `json:"product_id"`
	Price           int       `json:"price"`
	Stock           int       `json:"stock"`
	Factory         string    `json:"factory"`
	ReorderPoint    int       `json:"reorder_point"`
	OrderUpTo       int       `json:"order_up_to"`
	LotSize         int       `json:"lot_size"`
	LeadTimeSeconds int       `json:"lead_time_seconds"`
	Automatic       bool      `json:"automatic"`

	Hourly float64 `json:"-"` // the mean number of buyers in an hour
	Bins   int     `json:"-"`

	saleEnds time.Time
	numbers  numbers
	refusals []time.Time
}

const factoryID = "FF-500293"

func products() []*product {
	return []*product{
		{SKU: "CP-502101", Name: "doughnut", Stock: 300, ReorderPoint: 45, OrderUpTo: 400, LotSize: 20,
			LeadTimeSeconds: 30 * 60, Hourly: 11, Bins: 4},
		{SKU: "CP-502102", Name: "twist", Stock: 120, ReorderPoint: 40, OrderUpTo: 200, LotSize: 20,
			LeadTimeSeconds: 2 * 3600, Hourly: 4, Bins: 1},
		{SKU: "CP-502103", Name: "mochi", Stock: 80, ReorderPoint: 40, OrderUpTo: 150, LotSize: 10,
			LeadTimeSeconds: 6 * 3600, Hourly: 2.5, Bins: 2},
	}
}

// begin is when every month begins: a Monday, in the shop's time zone.
var begin = time.Date(2026, 11, 2, 0, 0, 0, 0, time.FixedZone("KST", 9*60*60))

// sweepInterval is the time between two sweeps. The program sweeps every minute, but a month has
// 43,200 minutes. Sweeps that are fewer only act some minutes later: at most half of the shortest
// lead time.
const sweepInterval = 15 * time.Minute

// A world is the shop and everything around it.
type world struct {
	config
	clock
	products []*product
	bySKU    map[string]*product

	admin *sql.DB
	db    *sql.DB // as the functions' user
	vault *secretstest.Vault
	login *secrets.Secret[secrets.Login] // as the functions have cached it
	shop  *shop.Shop

	salesAPI          web.Function
	stock, deliveries *queue
	// endInvocation ends the context of the invocation that runs.
	endInvocation context.CancelFunc

	buyers, factory, network, faults *rand.Rand
	ids                              uint64
	purchases, rotations             int

	databaseDown, topicDown, mailDown, factoryDown bool
	forgotten                                      int  // how often the factory has forgotten its lots
	calm                                           bool // no more faults

	accepted map[string]bool // production orders whose message the topic has accepted
	asked    []factory.Request
	makings  map[string]*making // by production order
	sales    map[uuid.UUID]int  // that buyers have as an answer
	pending  int                // purchases without an answer
	reported map[string]int     // by attempt: the largest quantity of a callback
	notices  map[string]int     // that people got, by kind
	counts   map[string]int     // of what went wrong
	spans    []span             // of what was away, for the picture
	closed   invariants.Closed
}

// A span is a time in which something was away.
type span struct {
	what        string
	from, until time.Time
}

// newWorld fills the database, and schedules all that happens.
func newWorld(ctx context.Context, c config) (*world, error) {
	w := &world{
		config: c, clock: clock{now: begin}, products: products(), bySKU: map[string]*product{},
		vault: &secretstest.Vault{}, accepted: map[string]bool{}, sales: map[uuid.UUID]int{},
		reported: map[string]int{}, makings: map[string]*making{}, notices: map[string]int{}, counts: map[string]int{},
		closed: invariants.Closed{},
	}
	// One source for each part of the world: more buyers do not change what the factory does.
	for i, r := range []**rand.Rand{&w.buyers, &w.factory, &w.network, &w.faults} {
		*r = rand.New(rand.NewPCG(c.Seed, uint64(i)))
	}
	if err := w.openAdmin(ctx); err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	now := func() time.Time { return w.now }
	w.shop = &shop.Shop{
		Publisher: sns.Publisher{Client: w, TopicARN: stockEmpty}, Notifier: sns.Notifier{Client: w, TopicARN: people},
		Journal: journal.New(log, "month"), Now: now, NewID: func() (uuid.UUID, error) { return w.newID(), nil },
	}
	if err := w.fill(ctx); err != nil {
		return nil, err
	}
	api, err := selling.NewAPI(w.shop, log)
	if err != nil {
		return nil, err
	}
	w.salesAPI = web.Lambda(api)
	// Each function has its own instance of the keys.
	keys := func() *secrets.CallbackKeys { return secrets.NewCallbackKeys(w.vault, callbackKey, log, now) }
	w.stock = &queue{queueDeclaration: stockQueue, w: w, handle: purchasing.Handler{
		Factory: w, Keys: keys(), APIURL: "https://shop.example", NewID: w.shop.NewID, Now: now,
		Journal: journal.New(log, "month"),
	}.Handle}
	w.deliveries = &queue{queueDeclaration: deliveriesQueue, w: w, handle: receiving.Handler{
		Shop: w.shop, Keys: keys(), Journal: journal.New(log, "month"),
	}.Handle}
	if w.sabotage != nil {
		w.sabotage(w)
	}
	w.every(time.Hour, w.anHour)
	w.every(sweepInterval, func(ctx context.Context) error { w.sweep(ctx); return nil })
	w.scheduleFaults()
	return w, nil
}

// newID returns a UUIDv7 of the simulated time.
func (w *world) newID() (id uuid.UUID) {
	w.ids++
	binary.BigEndian.PutUint64(id[:8], uint64(w.now.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], w.ids)
	id[6], id[8] = 7<<4, 2<<6
	return id
}

// latency is how long a message takes.
func (w *world) latency() time.Duration {
	return 20*time.Millisecond + time.Duration(w.network.Int64N(int64(300*time.Millisecond)))
}

// Publish is SNS: the topic of the messages to the factory, and that of the notices to people.
func (w *world) Publish(_ context.Context, in *awssns.PublishInput,
	_ ...func(*awssns.Options)) (*awssns.PublishOutput, error) {
	if *in.TopicArn == people {
		if w.mailDown {
			return nil, errors.New("the mail is away")
		}
		w.notices[*in.MessageAttributes["kind"].StringValue]++
		return &awssns.PublishOutput{}, nil
	}
	if w.topicDown {
		return nil, errors.New("the topic is away")
	}
	attributes := map[string]map[string]string{}
	for name, value := range in.MessageAttributes {
		attributes[name] = map[string]string{"Type": *value.DataType, "Value": *value.StringValue}
	}
	envelope, err := json.Marshal(map[string]any{
		"Type": "Notification", "TopicArn": *in.TopicArn, "Subject": *in.Subject, "Message": *in.Message,
		"Timestamp": w.now.UTC().Format("2006-01-02T15:04:05.000Z"), "MessageAttributes": attributes,
	})
	if err != nil {
		return nil, err
	}
	var text struct {
		Order string `json:"production_order_id"`
	}
	if err := json.Unmarshal([]byte(*in.Message), &text); err != nil {
		return nil, err
	}
	w.accepted[text.Order] = true
	w.post(events.SQSMessage{Body: string(envelope)}, w.made(text.Order))
	return &awssns.PublishOutput{}, nil
}

// post sends a message to stock's queue. A few messages are lost, late or sent twice.
func (w *world) post(m events.SQSMessage, of *making) {
	delay := w.latency()
	if !w.calm {
		switch n := w.network.IntN(100); {
		case n < 4:
			w.count("a message was lost")
			return
		case n < 9:
			w.count("a message came twice")
			of.excuses++
			w.stock.send(m, delay+time.Duration(w.network.Int64N(int64(time.Hour))))
		case n < 13:
			w.count("a message was late")
			of.excuses++
			delay = time.Duration(w.network.Int64N(int64(8 * time.Hour)))
		}
	}
	w.stock.send(m, delay)
}

// replaceKey replaces the callback key.
func (w *world) replaceKey() {
	key := sha256.Sum256(fmt.Appendf(nil, "key %d of seed %d", w.rotations, w.Seed))
	w.rotations++
	w.vault.Set(callbackKey, fmt.Sprintf(`{"key":%q}`, base64.StdEncoding.EncodeToString(key[:])))
}

// count counts something that went wrong.
func (w *world) count(what string) {
	w.counts[what]++
	if w.Verbose {
		fmt.Fprintf(os.Stderr, "%s  %s\n", w.now.Format(timeFormat), what)
	}
}

// sweep runs a sweep, which may fail: a later one does its work.
func (w *world) sweep(ctx context.Context) {
	ctx, w.endInvocation = context.WithCancel(ctx)
	defer w.endInvocation()
	_, _ = w.shop.Sweep(ctx)
}
