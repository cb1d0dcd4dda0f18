// Command screenshots writes docs/storefront.png and docs/console.png: the pages of a run of its own, in which buyers buy until a doughnut
// is sold out, and the factory makes more.
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

	_ "github.com/go-sql-driver/mysql" // database/sql's driver

	"restock/cmd/local/programs"
	"restock/local/run"
	"restock/local/view/terminal"
	"restock/test/browser"
)

const (
	// factoryStep leaves time to take the picture of a product that is sold out.
	factoryStep = 2 * time.Second
	// scale is sharp on the screens that have two pixels for one.
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
	config.Console = run.ConsoleAddress // the console shows the addresses: they are those that a reader has
	config.FactoryStep = factoryStep
	config.Log = terminal.Log(os.Stderr, slog.LevelWarn)
	r, err := programs.Start(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()

	s := story{ctx, b, r.Endpoints(), filepath.Join(project, "docs")}
	if err := s.storefront(); err != nil {
		return err
	}
	return s.console()
}

// A story is what happens while the pictures are taken.
type story struct {
	ctx context.Context
	*browser.Browser
	programs.Endpoints
	docs string
}

const (
	doughnut = `[data-sku="CP-502101"]`
	twist    = `[data-sku="CP-502102"]`
)

// storefront is taken when a buyer has bought two twists and the last three doughnuts, and more are expected.
func (s story) storefront() error {
	visitor := browser.Visitor{Languages: "en", Width: 1280, Height: 960, Scale: scale, Timezone: "Asia/Seoul"}
	page, err := s.Open(s.ctx, visitor, s.API)
	if err != nil {
		return err
	}
	defer page.Close()
	if err := inOrder(
		func() error { return page.Await(`document.querySelector(".product")`) },
		func() error { return page.Click(twist+" .more", 1) },
		func() error { return page.Click(twist+" .buy", 1) },
		func() error { return page.Await(shows(twist+" .result", "Bought!")) },
		func() error { return page.Click(doughnut+" .more", 2) },
		func() error { return page.Click(doughnut+" .buy", 1) },
		func() error { return page.Await(shows(doughnut+" .result", "Bought!")) },
		s.expectAtNineTwenty,
		func() error { return page.Await(shows(doughnut+" .note", "9:20")) },
		func() error { return evaluate(page, top) },
	); err != nil {
		return err
	}
	return s.take(page, "storefront.png")
}

// expectAtNineTwenty makes the doughnuts expected at 9:20 in Seoul, of whatever day: the picture is the same whenever it is taken.
func (s story) expectAtNineTwenty() error {
	db, err := sql.Open("mysql", s.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(s.ctx, `UPDATE production_order JOIN product USING (product_id)
		SET asked_at = TIMESTAMP '2100-01-01 00:20:00' - INTERVAL lead_time SECOND WHERE sku = 'CP-502101'`); err != nil {
		return fmt.Errorf("setting the time of arrival: %w", err)
	}
	return nil
}

// console is taken when a rush of buyers has bought all that the factory had made, the next lot has come, and somebody looks at the
// journey of the purchase that ordered it.
func (s story) console() error {
	visitor := browser.Visitor{Languages: "en", Width: 1440, Height: 1340, Scale: scale, Timezone: "Asia/Seoul"}
	page, err := s.Open(s.ctx, visitor, s.Console)
	if err != nil {
		return err
	}
	defer page.Close()
	const fill = `(document.getElementById("rush-buyers").value = 150, document.getElementById("rush-seconds").value = 3, true)`
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
		func() error { return page.Await(shows("#journeys", "made")) },
		func() error { return page.Click("#journeys button", 1) },
		func() error { return page.Await(shows("#details-body", "factory")) },
		func() error { return evaluate(page, top) },
	); err != nil {
		return err
	}
	return s.take(page, "console.png")
}

// top is what takes the focus away and shows the top of the page.
const top = `(document.activeElement.blur(), scrollTo(0, 0), true)`

func evaluate(page *browser.Page, expression string) error {
	_, err := browser.Evaluate[bool](page, expression)
	return err
}

// inOrder takes steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (s story) take(page *browser.Page, name string) error {
	shot, err := page.Screenshot()
	if err != nil {
		return err
	}
	if problems := page.Problems(); len(problems) > 0 {
		return fmt.Errorf("%s is not taken: the page has problems: %q", name, problems)
	}
	file := filepath.Join(s.docs, name)
	if err := os.WriteFile(file, shot, 0o644); err != nil {
		return err
	}
	fmt.Println(file)
	return nil
}

// shows is a condition: the element that a CSS selector finds contains a text.
func shows(selector, text string) string {
	return fmt.Sprintf("document.querySelector(%s).innerText.includes(%s)", browser.Quote(selector), browser.Quote(text))
}
