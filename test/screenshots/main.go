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
	config.Log = terminal.Log(os.Stderr, slog.LevelWarn)
	r, err := programs.Start(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()

	s := story{b, r.Endpoints(), filepath.Join(project, "docs")}
	if err := s.storefront(ctx); err != nil {
		return err
	}
	return s.console(ctx)
}

// A story takes the screenshots of a run.
type story struct {
	*browser.Browser
	programs.Endpoints
	docs string
}

const (
	doughnut = `[data-sku="CP-502101"]`
	twist    = `[data-sku="CP-502102"]`
)

// storefront takes storefront.png. A buyer has bought two twists and the last three doughnuts, and
// the factory makes more doughnuts.
func (s story) storefront(ctx context.Context) error {
	visitor := browser.Visitor{Languages: "en", Width: 1280, Height: 960, Scale: scale, Timezone: "Asia/Seoul"}
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
		func() error { return s.expectAtNineTwenty(ctx) },
		func() error { return page.Await(shows(doughnut+" .note", "9:20")) },
		func() error { return evaluate(page, top) },
	); err != nil {
		return err
	}
	return s.take(page, "storefront.png")
}

// expectAtNineTwenty sets the time at which the doughnuts are expected to 9:20 in Seoul, so that
// every screenshot shows the same time.
func (s story) expectAtNineTwenty(ctx context.Context) error {
	db, err := sql.Open("mysql", s.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `UPDATE production_order JOIN product USING (product_id)
		SET asked_at = TIMESTAMP '2100-01-01 00:20:00' - INTERVAL lead_time SECOND
		WHERE sku = 'CP-502101'`); err != nil {
		return fmt.Errorf("setting the expected time: %w", err)
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
		document.getElementById("rush-seconds").value = 3, true)`
	const filter = `(() => {
		const filter = document.getElementById("journeys-filter");
		filter.value = "orders";
		filter.dispatchEvent(new Event("change"));
		return true;
	})()`
	if err := inOrder(
		func() error { return page.Await(shows("#plots", "100 on hand")) },
		func() error { return evaluate(page, fill) },
		func() error { return page.Click("#rush-start", 1) },
		func() error { return page.Await(shows("#plots", "sold out")) },
		func() error { return page.Await(shows("#plots", "100 on hand")) },
		func() error { return evaluate(page, filter) },
		func() error { return page.Await(shows("#journeys", "received")) },
		func() error { return page.Click("#journeys button", 1) },
		func() error { return page.Await(shows("#details-body", "factory")) },
		func() error { return evaluate(page, top) },
	); err != nil {
		return err
	}
	return s.take(page, "console.png")
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
