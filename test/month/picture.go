package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// The measures of the picture, in pixels.
const (
	left, right   = 110, 20 // margins
	plotWidth     = 900
	plotHeight    = 110 // of a product's stock
	ordersHeight  = 12  // of a product's orders
	panelHeight   = plotHeight + ordersHeight + 28
	awayHeight    = 14 // of a row of what was away
	top           = 66
	pictureWidth  = left + plotWidth + right
	legendOffset  = 130
	refusalHeight = 7
)

// style has two sets of colors: for light and for dark pages.
const style = `<style>
:root{--bg:#fffdfa;--ink:#2b2320;--soft:#6b5f58;--grid:#e6ddd5;--stock:#3a6ea5;--fill:#dbe8f5;
--good:#3d8f5a;--short:#d9822f;--failed:#b3261e;--cancelled:#8a7f78;--away:#c9a66b;--sale:#8e5bb5}
@media (prefers-color-scheme:dark){
:root{--bg:#1d1917;--ink:#f4ede8;--soft:#b9aca3;--grid:#3a332f;--stock:#8db8e6;--fill:#22364a;
--good:#6cc48b;--short:#e8a45c;--failed:#ff8a80;--cancelled:#a0938a;--away:#8f7440;--sale:#c79be8}}
svg{background:var(--bg);font:12px system-ui,-apple-system,"Segoe UI",sans-serif}
text{fill:var(--soft)} .name{font-weight:600;fill:var(--ink)} .end{text-anchor:end}
.grid{stroke:var(--grid)} .point{stroke:var(--short);stroke-dasharray:4 3}
.stock{fill:var(--fill);stroke:var(--stock);stroke-width:1.2} .refusal{stroke:var(--failed)}
.received,.open{fill:var(--good)} .short{fill:var(--short)} .failed{fill:var(--failed)}
.cancelled{fill:var(--cancelled)} .away{fill:var(--away)} .sale{fill:var(--sale)} .open{opacity:.5}
</style>
`

// A canvas writes a picture.
type canvas struct {
	bytes.Buffer
	end time.Time
}

// x returns the place of a time.
func (c *canvas) x(t time.Time) int {
	part := float64(t.Sub(begin)) / float64(c.end.Sub(begin))
	return left + int(plotWidth*min(max(part, 0), 1))
}

// picture draws the stock of each product, its production orders and the refusals, and what was
// away, as an SVG.
func (r *report) picture() []byte {
	c := &canvas{end: begin.Add(time.Duration(r.Days) * 24 * time.Hour)}
	rows := []struct{ what, class, title string }{
		{"sale", "sale", "sale"}, {"database", "away", "database away"}, {"topic", "away", "topic away"},
		{"factory", "away", "factory away"}, {"mail", "away", "mail away"},
	}
	height := top + len(rows)*awayHeight + len(r.Products)*panelHeight + 40
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="t d">
<title id="t">%d days of the shop, seed %d</title>
<desc id="d">%s</desc>
%s<text class="name" x="%d" y="24">%[3]d days of the shop, seed %[4]d: %.1[8]f %% of the wanted pieces were sold</text>
`,
		pictureWidth, height, r.Days, r.Seed, r.describe(), style, left, 100*r.Total.FillRate)
	c.legend()
	y := top
	for _, row := range rows {
		fmt.Fprintf(c, `<text class="end" x="%d" y="%d">%s</text>`+"\n", left-8, y+10, row.title)
		for _, s := range r.spans {
			if s.what == row.what {
				title := fmt.Sprintf("%s for %.1f h", row.title, s.until.Sub(s.from).Hours())
				c.bar(row.class, s.from, s.until, y+1, awayHeight-4, title)
			}
		}
		y += awayHeight
	}
	for _, p := range r.Products {
		c.panel(p, y)
		y += panelHeight
	}
	c.days(y + 4)
	fmt.Fprintln(c, "</svg>")
	return c.Bytes()
}

// describe describes the picture for readers who do not see it.
func (r *report) describe() string {
	var out strings.Builder
	for _, p := range r.Products {
		fmt.Fprintf(&out, "%s: %d of %d pieces sold, %d checkouts refused, %d production orders, mean stock %.0f. ",
			p.Name, p.Sold, p.Wanted, p.numbers.Refused, p.Opened, p.MeanStock)
	}
	return strings.TrimSpace(out.String())
}

func (c *canvas) legend() {
	x := left
	for _, l := range []struct{ class, text string }{
		{"received", "order received"}, {"short", "came short"}, {"failed", "failed"}, {"cancelled", "cancelled"},
		{"away", "away"}, {"sale", "sale"},
	} {
		fmt.Fprintf(c, `<rect class="%s" x="%d" y="38" width="14" height="8"/><text x="%d" y="46">%s</text>`+"\n",
			l.class, x, x+19, l.text)
		x += legendOffset
	}
	fmt.Fprintf(c, `<path class="refusal" d="M%d 38v8m3-8v8m3-8v8"/><text x="%d" y="46">refused</text>`+"\n", x, x+12)
}

// bar draws a span of time.
func (c *canvas) bar(class string, from, until time.Time, y, height int, title string) {
	if until.IsZero() || until.After(c.end) {
		until = c.end
	}
	x := c.x(from)
	if from.Before(c.end) {
		fmt.Fprintf(c, `<rect class="%s" x="%d" y="%d" width="%d" height="%d"><title>%s</title></rect>`+"\n",
			class, x, y, max(c.x(until)-x, 2), height, title)
	}
}

// panel draws a product: its stock, its reorder point, its refusals, and its orders below.
func (c *canvas) panel(p *productReport, y int) {
	highest := 1
	for _, l := range p.stock {
		highest = max(highest, l.stock)
	}
	y += 24
	bottom := y + plotHeight
	height := func(stock int) int { return bottom - stock*plotHeight/highest }
	fmt.Fprintf(c, `<text class="name end" x="%d" y="%d">%s</text>`+"\n", left-8, y+22, p.Name)
	for _, stock := range []int{0, highest} {
		fmt.Fprintf(c, `<path class="grid" d="M%d %dh%d"/><text class="end" x="%d" y="%d">%d</text>`+"\n",
			left, height(stock), plotWidth, left-8, height(stock)+4, stock)
	}
	c.stock(p.stock, height)
	fmt.Fprintf(c, `<path class="point" d="M%d %dh%d"><title>reorder point %d</title></path>`+"\n",
		left, height(p.reorderPoint), plotWidth, p.reorderPoint)
	fmt.Fprint(c, `<path class="refusal" d="`)
	drawn := -1
	for _, t := range p.refusals {
		if x := c.x(t); x != drawn {
			fmt.Fprintf(c, "M%d %dv%d", x, bottom-refusalHeight, refusalHeight)
			drawn = x
		}
	}
	fmt.Fprintf(c, `"><title>%d refusals</title></path>`+"\n", p.numbers.Refused)
	for _, o := range p.orders {
		title := fmt.Sprintf("%s after %d requests", o.status, o.asks)
		c.bar(o.status, o.opened, o.closed, bottom+4, ordersHeight-4, title)
	}
}

// stock draws the stock as steps. Each column of pixels has its lowest and its last level.
func (c *canvas) stock(levels []level, height func(int) int) {
	fmt.Fprintf(c, `<path class="stock" d="M%d %d`, left, height(0))
	for i := 0; i < len(levels); {
		x, lowest, last := c.x(levels[i].at), levels[i].stock, 0
		for ; i < len(levels) && c.x(levels[i].at) == x; i++ {
			last = levels[i].stock
			lowest = min(lowest, last)
		}
		fmt.Fprintf(c, "H%dV%d", x, height(lowest))
		if last != lowest {
			fmt.Fprintf(c, "V%d", height(last))
		}
	}
	fmt.Fprintf(c, `H%dV%dz"/>`+"\n", left+plotWidth, height(0))
}

// days writes the days, or some of them, below the picture.
func (c *canvas) days(y int) {
	days := int(c.end.Sub(begin).Hours() / 24)
	for day := 0; day < days; day += max(1, days/15) {
		t := begin.AddDate(0, 0, day)
		fmt.Fprintf(c, `<path class="grid" d="M%d %dv-%d"/><text x="%d" y="%d">%s</text>`+"\n",
			c.x(t), y, y-top, c.x(t), y+14, t.Format("Mon 2"))
	}
}
