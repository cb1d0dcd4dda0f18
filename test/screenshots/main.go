// Command screenshots writes docs/storefront.png and docs/console.png. It starts its own local run,
// buys in a browser until a doughnut is sold out, and waits until the factory has made more.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql" // driver of database/sql

	"restock/cmd/local/factory"
	"restock/cmd/local/programs"
	"restock/lambdas"
	"restock/local/run"
	"restock/local/view/terminal"
	"restock/test/browser"
)

const (
	// factoryStep is long enough to take the screenshot while the product is sold out.
	factoryStep = 2 * time.Second
	// scale is the number of image pixels per CSS pixel. The images look sharp on dense screens.
	scale = 1.5
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := screenshots(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func screenshots(ctx context.Context) (err error) {
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	b, err := browser.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()

	config := programs.DefaultConfig(project)
	config.Settings = map[string]any{"catalogue": lambdas.TestCatalogue}
	config.Console = run.ConsoleAddress // the console shows the default addresses, as a reader's run has
	config.FactoryStep = factoryStep
	config.Log = terminal.Log(os.Stderr, slog.LevelWarn, programs.Terminal())
	r, err := programs.Start(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()

	s := story{b, r.Endpoints(), r.Factory, filepath.Join(project, "docs")}
	if err := s.storefront(ctx); err != nil {
		return err
	}
	return s.console(ctx)
}

// A story takes the screenshots of a run.
type story struct {
	*browser.Browser
	programs.Endpoints
	factory *factory.Factory
	docs    string
}

const (
	doughnut = `[data-sku="CP-502101"]`
	twist    = `[data-sku="CP-502102"]`
)

// storefront takes storefront.png. A buyer has bought two twists and the last three doughnuts, and
// the factory makes more doughnuts.
func (s story) storefront(ctx context.Context) error {
	zone, expected := morning(time.Now())
	visitor := browser.Visitor{Languages: "en", Width: 1280, Height: 1060, Scale: scale, Timezone: zone}
	page, err := s.Open(ctx, visitor, s.API)
	if err != nil {
		return err
	}
	defer page.Close()
	if err := inOrder(
		func() error { return page.Await(`document.querySelector("[data-sku]")`) },
		func() error { return page.Click(twist+" .more", 1) },
		func() error { return page.Click(twist+" .buy", 1) },
		func() error { return page.Await(shows(twist+" .result", "Bought!")) },
		func() error { return page.Click(doughnut+" .more", 2) },
		func() error { return page.Click(doughnut+" .buy", 1) },
		func() error { return page.Await(shows(doughnut+" .result", "Bought!")) },
		func() error { return s.expectAt(ctx, expected) },
		func() error { return page.Await(shows(doughnut+" .note", "9:20")) },
		func() error { return evaluate(page, top) },
	); err != nil {
		return err
	}
	return s.take(page, "storefront.png")
}

// morning returns a time zone in which it is between 8 and 9 o'clock, and the moment of 9:20 there.
// With them, every screenshot shows the same time, and no date.
func morning(now time.Time) (zone string, nineTwenty time.Time) {
	east := 8 - now.UTC().Hour() // hours
	if east < -12 {
		east += 24
	}
	return fmt.Sprintf("Etc/GMT%+d", -east), now.UTC().Truncate(time.Hour).Add(80 * time.Minute)
}

// expectAt sets the time at which the doughnuts are expected.
func (s story) expectAt(ctx context.Context, expected time.Time) error {
	return s.execute(ctx, `UPDATE production_order JOIN product USING (product_id)
		SET asked_at = ? - INTERVAL lead_time SECOND WHERE sku = 'CP-502101'`, expected)
}

// execute executes a statement in the database of the run.
func (s story) execute(ctx context.Context, statement string, args ...any) error {
	db, err := sql.Open("mysql", s.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("preparing a screenshot: %w", err)
	}
	return nil
}

// console takes console.png. A rush of buyers has bought everything, the next lot has arrived, and
// the console shows the journey of the purchase that ordered the lot.
func (s story) console(ctx context.Context) error {
	visitor := browser.Visitor{Languages: "en", Width: 1440, Height: 1340, Scale: scale, Timezone: "Asia/Seoul"}
	page, err := s.Open(ctx, visitor, s.Console)
	if err != nil {
		return err
	}
	defer page.Close()
	const fill = `(document.getElementById("rush-buyers").value = 150,
		document.getElementById("rush-seconds").value = 10, true)`
	const filter = `(() => {
		const filter = document.getElementById("journeys-filter");
		filter.value = "notable";
		filter.dispatchEvent(new Event("change"));
		return true;
	})()`
	// The purchase that sold out before storefront.png has a journey, too.
	const bothReceived = `((all) => all.filter((j) => j.innerText.includes("received")).length === 2)(
		[...document.querySelectorAll("#journeys button")])`
	if err := inOrder(
		func() error { return page.Await(shows("#plots", "100 on hand")) },
		// On a busy machine the order must not be overdue, and the lot must not come in the rush.
		func() error { return s.execute(ctx, `UPDATE product SET lead_time = 86400 WHERE sku = 'CP-502101'`) },
		func() error { return s.factory.SetFault(factory.Fault{Hold: true}) },
		func() error { return evaluate(page, fill) },
		func() error { return rushUntilSoldOut(page) },
		func() error { return s.factory.SetFault(factory.Fault{}) },
		func() error { return page.Await(shows("#plots", "100 on hand")) },
		func() error { return evaluate(page, filter) },
		func() error { return page.Await(bothReceived) },
		func() error { return page.Click("#journeys button", 1) },
		func() error { return page.Await(shows("#details-body", "factory")) },
		func() error { return evaluate(page, top) },
		func() error { return page.Click("h1", 1) }, // the mouse leaves the picture
	); err != nil {
		return err
	}
	return s.take(page, "console.png")
}

// rushUntilSoldOut starts rushes until the doughnut is sold out: on a busy machine many buyers of a
// rush are throttled. It returns when the last rush is over.
func rushUntilSoldOut(page *browser.Page) error {
	for {
		if err := inOrder(
			func() error { return evaluate(page, `(document.getElementById("rush-status").textContent = "", true)`) },
			func() error { return page.Click("#rush-start", 1) },
			func() error { return page.Await(shows("#rush-status", "came: ")) },
		); err != nil {
			return err
		}
		soldOut, err := browser.Evaluate[bool](page, shows("#plots", "sold out"))
		if soldOut || err != nil {
			return err
		}
	}
}

// top removes the focus and scrolls to the top of the page.
const top = `(document.activeElement.blur(), scrollTo(0, 0), true)`

// evaluate evaluates an expression for its effect.
func evaluate(page *browser.Page, expression string) error {
	_, err := browser.Evaluate[bool](page, expression)
	return err
}

// inOrder runs steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// take writes a screenshot of the page to a file in docs, unless the page has problems.
func (s story) take(page *browser.Page, name string) error {
	shot, err := page.Screenshot()
	if err != nil {
		return err
	}
	if problems := page.Problems(); len(problems) > 0 {
		return fmt.Errorf("%s: the page has problems: %q", name, problems)
	}
	file := filepath.Join(s.docs, name)
	if err := os.WriteFile(file, shot, 0o644); err != nil {
		return err
	}
	fmt.Println(file)
	return nil
}

// shows returns a JavaScript condition: the element that a CSS selector finds contains a text.
func shows(selector, text string) string {
	const contains = "document.querySelector(%s).innerText.includes(%s)"
	return fmt.Sprintf(contains, browser.Quote(selector), browser.Quote(text))
}
