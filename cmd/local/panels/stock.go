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

	"restock/local/view/console"
)

// A Product is one as it stands in the database.
type Product struct {
	SKU     string `json:"sku"`
	Name    string `json:"name"`
	Stock   int    `json:"stock"`
	OnOrder int    `json:"on_order"`
	Status  string `json:"status"` // "available", "sold out", or "on order": sold out, and some is on its way
}

// A Point is where all products stood at a moment.
type Point struct {
	Time     time.Time        `json:"time"`
	Products map[string]Level `json:"products"` // by SKU
}

// A Level is where a product stood.
type Level struct {
	Stock   int `json:"stock"`
	OnOrder int `json:"on_order"`
}

const (
	pollInterval = time.Second
	pollTimeout  = 5 * time.Second
	maxPoints    = 600 // ten minutes
)

// A stock watches the shop's products in the database. A program without a table of products has none.
type stock struct {
	log *slog.Logger

	running sync.WaitGroup

	mu     sync.Mutex // guards what follows
	node   string     // of the database in the picture
	stop   func()     // ends the watching, and waits for its end; nil before the first
	now    []Product
	series []Point
	open   int // connections of others to the database
}

func newStock(log *slog.Logger) *stock {
	return &stock{log: log, now: []Product{}, series: []Point{}}
}

func (p *stock) panel() console.Panel {
	return console.Panel{Name: "stock", State: p.state, Counters: p.counters, Start: p.start, ReleaseDatabase: p.end, Close: p.running.Wait}
}

// A StockState is how the products are, and how they were.
type StockState struct {
	Products []Product `json:"products"`
	Series   []Point   `json:"series,omitempty"` // in a whole state
}

func (p *stock) state(whole bool) any {
	s := StockState{Products: p.latest()}
	if whole {
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

// start watches the stack's database, if it has one, until ctx ends.
func (p *stock) start(ctx context.Context, s console.Stack) error {
	p.mu.Lock()
	p.node = nodeOf(console.KindDatabase, s.Graph)
	p.mu.Unlock()
	if s.DSN == "" {
		return nil
	}
	if ctx.Err() != nil {
		return errors.New("watching the database: the console is closed")
	}
	return p.watch(ctx, s.DSN)
}

// watch asks the database once a second, until ctx ends or another is watched.
func (p *stock) watch(ctx context.Context, dsn string) error {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return fmt.Errorf("watching the database: %w", err)
	}
	config.Timeout, config.ReadTimeout = pollTimeout, pollTimeout
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

// end ends the watching. When it returns, the console has no connection to the database.
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
		err := p.ask(ctx, db)
		if err != nil && !failing && ctx.Err() == nil {
			p.log.Warn("the console cannot read the products: it asks again every second", "error", err)
		}
		failing = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// noSuchTable is the server's error for a table that does not exist: https://mariadb.com/kb/en/e1146/
const noSuchTable = 1146

// ask reads the products once, and how many are connected.
func (p *stock) ask(ctx context.Context, db *sql.DB) error {
	var name string
	var connected int
	if err := db.QueryRowContext(ctx, `SHOW GLOBAL STATUS LIKE 'Threads_connected'`).Scan(&name, &connected); err != nil {
		return fmt.Errorf("counting the connections: %w", err)
	}
	now, err := readProducts(ctx, db)
	if missing := (*mysql.MySQLError)(nil); errors.As(err, &missing) && missing.Number == noSuchTable {
		now, err = nil, nil // the program has none, or none yet
	}
	if err != nil {
		return fmt.Errorf("reading the products: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = connected - 1 // this one is the console's
	p.now = append([]Product{}, now...)
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

func readProducts(ctx context.Context, db *sql.DB) (list []Product, err error) {
	const maxProducts = 100
	rows, err := db.QueryContext(ctx, `
		SELECT p.sku, p.name, p.stock, GREATEST(COALESCE(o.quantity - o.received, 0), 0)
		  FROM product p LEFT JOIN production_order o ON o.open_product_id = p.product_id
		 ORDER BY p.sku LIMIT ?`, maxProducts)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Product
		if err := rows.Scan(&p.SKU, &p.Name, &p.Stock, &p.OnOrder); err != nil {
			return nil, err
		}
		switch {
		case p.Stock > 0:
			p.Status = "available"
		case p.OnOrder > 0:
			p.Status = "on order"
		default:
			p.Status = "sold out"
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// latest are the products as they were read last.
func (p *stock) latest() []Product {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now // replaced, and never changed
}

// points are the series, the oldest first.
func (p *stock) points() []Point {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Point{}, p.series...)
}
