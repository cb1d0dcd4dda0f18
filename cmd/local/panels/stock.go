package panels

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"restock/internal/shop"
	"restock/local/view/console"
)

// A Product is the current state of a product in the database.
type Product struct {
	SKU     string `json:"sku"`
	Name    string `json:"name"`
	Stock   int    `json:"stock"`
	OnOrder int    `json:"on_order"`
	Status  string `json:"status"` // such as statusAvailable
	Bins    int    `json:"bins"`   // how many rows the stock lies in
	// Automatic says that the shop orders the product by itself.
	Automatic bool `json:"automatic"`
	// MoreBins is set if buyers waited for each other in the last ten minutes: how many bins the
	// product should get.
	MoreBins int `json:"more_bins,omitempty"`
	// Changed is when the panel has seen that Stock or OnOrder changed, or that the product is new.
	// It is zero for a product that is as the first read found it.
	Changed time.Time `json:"changed,omitzero"`
	// Order is the open production order, or nil.
	Order *Order `json:"order,omitempty"`
}

// An Order is the state of an open production order.
type Order struct {
	ExpectedAt   time.Time `json:"expected_at"`   // one lead time after the factory was last asked
	ExpiresAt    time.Time `json:"expires_at"`    // when the message of the last request expires
	PatienceEnds time.Time `json:"patience_ends"` // when the sweep asks again, or gives up
	GivesUp      bool      `json:"gives_up"`      // whether the sweep gives up then
	Asks         int       `json:"asks"`          // how often the factory was asked
	Overdue      bool      `json:"overdue"`       // whether it was opened more than two lead times ago
	Published    bool      `json:"published"`     // whether the message of the last request was published
}

func stateOf(o shop.ProductionOrder, now time.Time) *Order {
	return &Order{
		ExpectedAt: o.AskedAt.Add(o.LeadTime), ExpiresAt: o.AskExpires(), PatienceEnds: o.PatienceEnds(),
		GivesUp: o.Next(o.PatienceEnds().Add(1)) == shop.GiveUp, Asks: o.Asks, Overdue: o.Overdue(now),
		Published: !o.PublishedAt.IsZero(),
	}
}

// unordered reports whether a product is sold out and nobody orders it.
func (p Product) unordered() bool { return p.Status == statusSoldOut && !p.Automatic }

// The values of Product.Status.
const (
	statusAvailable = "available"
	statusOnOrder   = "on order" // sold out, with an open production order
	statusSoldOut   = "sold out" // without an open production order
)

// A Point is the state of all products at a time.
type Point struct {
	Time     time.Time        `json:"time"`
	Products map[string]Level `json:"products"` // by SKU
}

// A Level is the state of a product at a time.
type Level struct {
	Stock   int `json:"stock"`
	OnOrder int `json:"on_order"`
}

const (
	pollInterval = time.Second
	pollTimeout  = 5 * time.Second
	maxPoints    = 600 // ten minutes
)

// A stock reads the shop's products from the database once a second. A program without a product
// table has no products.
type stock struct {
	log *slog.Logger

	running sync.WaitGroup

	mu     sync.Mutex // guards what follows
	node   string     // the id of the database in the picture
	stop   func()     // stops reading, and waits until it has ended; nil before the first start
	now    []Product
	series []Point
	open   int    // connections to the database, without the panel's own
	target string // see StockState.Target
}

func newStock(log *slog.Logger) *stock {
	return &stock{log: log, now: []Product{}, series: []Point{}}
}

const stockName = "stock"

func (p *stock) panel() console.Panel {
	return console.Panel{Name: stockName, State: p.state, Counters: p.counters, Start: p.start, ReleaseDatabase: p.end,
		Close: p.running.Wait, Messages: func(bodies []string) string { return consequences(bodies, time.Now()) },
		Obsolete: func(body string) bool { return expired(body, time.Now()) }}
}

// A StockState is the current state of the products and their history.
type StockState struct {
	Products []Product `json:"products"`
	Series   []Point   `json:"series,omitzero"` // only in a full state
	// Target are the words with which the command shop finds this run: "--local", or "--ready FILE"
	// if the run is not at the default addresses.
	Target string `json:"target,omitempty"`
}

func (p *stock) state(full bool) any {
	s := StockState{Products: p.latest(), Target: p.words()}
	if full {
		s.Series = p.points()
	}
	return s
}

func (p *stock) counters() map[string]map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.node == "" {
		return nil
	}
	return map[string]map[string]int{p.node: {"connections": p.open}}
}

// start reads the stack's database, if it has one, until ctx ends.
func (p *stock) start(ctx context.Context, s console.Stack) error {
	p.mu.Lock()
	p.node, p.target = s.Graph.Only(console.KindDatabase), targetOf(s.Endpoints)
	p.mu.Unlock()
	if s.DSN == "" {
		return nil
	}
	if ctx.Err() != nil {
		return errors.New("watching the database: the console is closed")
	}
	return p.watch(ctx, s.DSN)
}

// watch starts to read the database once a second, until ctx ends or watch is called again.
func (p *stock) watch(ctx context.Context, dsn string) error {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return fmt.Errorf("watching the database: %w", err)
	}
	config.Timeout, config.ReadTimeout = pollTimeout, pollTimeout
	config.ParseTime = true // the server's times are in UTC, the default of config.Loc
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return fmt.Errorf("watching the database: %w", err)
	}
	p.end()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	p.mu.Lock()
	p.stop = func() {
		cancel()
		<-ended
	}
	p.mu.Unlock()
	p.running.Go(func() {
		defer close(ended)
		db := sql.OpenDB(connector)
		defer db.Close()
		db.SetMaxOpenConns(1)
		p.poll(ctx, db)
	})
	return nil
}

// end stops reading. After it returns, the console has no connection to the database.
func (p *stock) end() {
	p.mu.Lock()
	stop := p.stop
	p.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (p *stock) poll(ctx context.Context, db *sql.DB) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	failing := false
	for {
		err := p.read(ctx, db)
		if err != nil && !failing && ctx.Err() == nil {
			p.log.Warn("the console cannot read the products; it retries every second", "error", err)
		}
		failing = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// noSuchTable is the server's error for a table that does not exist:
// https://mariadb.com/kb/en/e1146/
const noSuchTable = 1146

// read reads the products and the number of connections once.
func (p *stock) read(ctx context.Context, db *sql.DB) error {
	var name string
	var connected int
	const connections = `SHOW GLOBAL STATUS LIKE 'Threads_connected'`
	if err := db.QueryRowContext(ctx, connections).Scan(&name, &connected); err != nil {
		return fmt.Errorf("counting the connections: %w", err)
	}
	now, err := readProducts(ctx, db)
	if missing := (*mysql.MySQLError)(nil); errors.As(err, &missing) && missing.Number == noSuchTable {
		now, err = nil, nil // the program has no products, or setup has not created the table yet
	}
	if err != nil {
		return fmt.Errorf("reading the products: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = connected - 1 // one connection is the panel's own
	p.now = changed(p.now, append([]Product{}, now...), len(p.series) > 0, time.Now().UTC())
	if len(now) == 0 {
		return nil
	}
	point := Point{Time: time.Now().UTC(), Products: map[string]Level{}}
	for _, product := range now {
		point.Products[product.SKU] = Level{product.Stock, product.OnOrder}
	}
	if len(p.series) >= maxPoints {
		p.series = append(p.series[:0:0], p.series[1:]...)
	}
	p.series = append(p.series, point)
	return nil
}

// changed sets when each product changed: now, if it differs from the last read. later is false for
// the first read, whose products have not changed.
func changed(last, products []Product, later bool, now time.Time) []Product {
	before := map[string]Product{}
	for _, product := range last {
		before[product.SKU] = product
	}
	for i, product := range products {
		old, known := before[product.SKU]
		switch same := old.Stock == product.Stock && old.OnOrder == product.OnOrder; {
		case known && same:
			products[i].Changed = old.Changed
		case known || later:
			products[i].Changed = now
		}
	}
	return products
}

func readProducts(ctx context.Context, db *sql.DB) (list []Product, err error) {
	const maxProducts = 100
	rows, err := db.QueryContext(ctx, `
		SELECT p.sku, p.name, p.automatic, p.bins,
		       COALESCE(p.waited_at > UTC_TIMESTAMP(6) - INTERVAL 10 MINUTE, FALSE),
		       (SELECT COALESCE(SUM(b.stock), 0) FROM bin b WHERE b.product_id = p.product_id),
		       GREATEST(COALESCE(o.quantity - o.received, 0), 0),
		       o.opened_at, o.asked_at, o.published_at, p.lead_time, COALESCE(o.asks, 0), COALESCE(o.received, 0)
		  FROM product p LEFT JOIN production_order o ON o.open_product_id = p.product_id
		 WHERE p.archived_at IS NULL
		 ORDER BY p.sku LIMIT ?`, maxProducts)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Product
		var waited bool
		var o shop.ProductionOrder
		var opened, asked, published sql.NullTime
		var leadTime int // seconds
		if err := rows.Scan(&p.SKU, &p.Name, &p.Automatic, &p.Bins, &waited, &p.Stock, &p.OnOrder,
			&opened, &asked, &published, &leadTime, &o.Asks, &o.Received); err != nil {
			return nil, err
		}
		if opened.Valid {
			o.OpenedAt, o.AskedAt, o.PublishedAt = opened.Time, asked.Time, published.Time
			o.LeadTime = time.Duration(leadTime) * time.Second
			p.Order = stateOf(o, time.Now())
		}
		if waited {
			p.MoreBins = shop.MoreBins(p.Bins)
		}
		switch {
		case p.Stock > 0:
			p.Status = statusAvailable
		case p.OnOrder > 0:
			p.Status = statusOnOrder
		default:
			p.Status = statusSoldOut
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// The default addresses of the local run.
const (
	defaultAPI = "http://127.0.0.1:8080"
	defaultAWS = "http://127.0.0.1:4566"
)

// targetOf returns StockState.Target for a run's endpoints.
func targetOf(endpoints map[string]string) string {
	if endpoints["api"] == defaultAPI && endpoints["aws"] == defaultAWS {
		return "--local"
	}
	return "--ready FILE"
}

func (p *stock) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

// latest returns the products of the last read.
func (p *stock) latest() []Product {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now // read replaces the slice and never changes it
}

// points returns the history, oldest first.
func (p *stock) points() []Point {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Point{}, p.series...)
}
