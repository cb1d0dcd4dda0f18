package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// The numbers of a product, in a month.
type numbers struct {
	Wanted      int     `json:"wanted"` // pieces that buyers came for
	Sold        int     `json:"sold"`   // pieces
	FillRate    float64 `json:"fill_rate"`
	Refused     int     `json:"refused"`     // checkouts
	Unavailable int     `json:"unavailable"` // requests while the database was away
	Opened      int     `json:"orders_opened"`
	Received    int     `json:"orders_received"`
	Short       int     `json:"orders_short"`
	Failed      int     `json:"orders_failed"`
	Cancelled   int     `json:"orders_cancelled"`
	Asks        int     `json:"asks"` // requests to the factory
	MeanStock   float64 `json:"mean_stock"`
}

func (n *numbers) add(other numbers) {
	n.Wanted += other.Wanted
	n.Sold += other.Sold
	n.Refused += other.Refused
	n.Unavailable += other.Unavailable
	n.Opened += other.Opened
	n.Received += other.Received
	n.Short += other.Short
	n.Failed += other.Failed
	n.Cancelled += other.Cancelled
	n.Asks += other.Asks
	n.MeanStock += other.MeanStock
}

// A report is the outcome of a month.
type report struct {
	Seed     uint64           `json:"seed"`
	Days     int              `json:"days"`
	Products []*productReport `json:"products"`
	Total    numbers          `json:"total"`
	Notices  map[string]int   `json:"notices"` // by kind
	Wrong    map[string]int   `json:"faults"`
	Broken   string           `json:"broken,omitempty"`
	spans    []span
}

// A productReport is the outcome of a month for a product.
type productReport struct {
	SKU  string `json:"sku"`
	Name string `json:"name"`
	numbers

	reorderPoint int
	stock        []level
	orders       []order
	refusals     []time.Time
}

// A level is a stock from a time on.
type level struct {
	at    time.Time
	stock int
}

// An order is a production order in the picture.
type order struct {
	opened, closed time.Time // closed is zero while it is open
	status         string
	asks           int
}

// newReport reads the month from the ledger and the production orders.
func (w *world) newReport(ctx context.Context, end time.Time) (*report, error) {
	r := &report{
		Seed: w.Seed, Days: w.Days, Notices: maps.Clone(w.notices), Wrong: maps.Clone(w.counts), spans: w.spans,
	}
	bySKU := map[string]*productReport{}
	for _, p := range w.products {
		bySKU[p.SKU] = &productReport{
			SKU: p.SKU, Name: p.Name, numbers: p.numbers, reorderPoint: p.ReorderPoint, refusals: p.refusals,
		}
		r.Products = append(r.Products, bySKU[p.SKU])
	}
	err := w.each(ctx, `
		SELECT p.sku, m.recorded_at, SUM(m.quantity) FROM movement m JOIN product p ON p.product_id = m.product_id
		 GROUP BY p.sku, m.recorded_at ORDER BY p.sku, m.recorded_at`, func(scan func(...any) error) error {
		var sku string
		var l level
		if err := scan(&sku, &l.at, &l.stock); err != nil {
			return err
		}
		p := bySKU[sku]
		if n := len(p.stock); n > 0 {
			l.stock += p.stock[n-1].stock
		}
		p.stock = append(p.stock, l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = w.each(ctx, `
		SELECT p.sku, o.opened_at, o.closed_at, o.status, o.asks
		  FROM production_order o JOIN product p ON p.product_id = o.product_id
		 ORDER BY o.opened_at`, func(scan func(...any) error) error {
		var sku string
		var o order
		var closed sql.NullTime
		if err := scan(&sku, &o.opened, &closed, &o.status, &o.asks); err != nil {
			return err
		}
		o.closed = closed.Time
		bySKU[sku].orders = append(bySKU[sku].orders, o)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, p := range r.Products {
		p.finish(end)
		r.Total.add(p.numbers)
	}
	r.Total.FillRate = fillRate(r.Total)
	return r, nil
}

// finish computes the numbers that follow from the stock and the orders.
func (p *productReport) finish(end time.Time) {
	var pieceHours float64
	for i, l := range p.stock {
		until := end
		if i+1 < len(p.stock) {
			until = p.stock[i+1].at
		}
		pieceHours += float64(l.stock) * until.Sub(l.at).Hours()
	}
	p.MeanStock = pieceHours / end.Sub(begin).Hours()
	p.FillRate = fillRate(p.numbers)
	for _, o := range p.orders {
		p.Opened++
		p.Asks += o.asks
		switch o.status {
		case "received":
			p.Received++
		case "short":
			p.Short++
		case "failed":
			p.Failed++
		case "cancelled":
			p.Cancelled++
		}
	}
}

// fillRate is the part of the wanted pieces that were sold.
func fillRate(n numbers) float64 {
	if n.Wanted == 0 {
		return 1
	}
	return float64(n.Sold) / float64(n.Wanted)
}

// table returns the report as text.
func (r *report) table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d days from %s, seed %d\n\n", r.Days, begin.Format("Mon 2006-01-02 MST"), r.Seed)
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\twanted\tsold\tfill rate\trefused\t"+
		"orders\treceived\tshort\tfailed\tcancelled\tasks\tmean stock\t")
	row := func(name string, n numbers) {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.1f %%\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t\n",
			name, n.Wanted, n.Sold, 100*n.FillRate, n.Refused,
			n.Opened, n.Received, n.Short, n.Failed, n.Cancelled, n.Asks, n.MeanStock)
	}
	for _, p := range r.Products {
		row(p.Name, p.numbers)
	}
	row("all", r.Total)
	_ = t.Flush() // a strings.Builder never fails
	for _, list := range []struct {
		title  string
		counts map[string]int
	}{{"notices to people", r.Notices}, {"what happened besides", r.Wrong}} {
		fmt.Fprintf(&out, "\n%s:\n", list.title)
		for _, what := range slices.Sorted(maps.Keys(list.counts)) {
			fmt.Fprintf(&out, "%6d  %s\n", list.counts[what], what)
		}
	}
	if r.Broken == "" {
		fmt.Fprintf(&out, "\nno rule of the shop is broken\n")
	}
	return out.String()
}
