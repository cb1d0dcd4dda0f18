// Package browser drives a headless Chromium over the DevTools protocol, and keeps account of what its pages do wrong.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/chromedp"
)

// ExecutableVariable is the environment variable that names the Chromium to drive.
const ExecutableVariable = "CHROMIUM"

// ErrMissing is the error of a machine without Chromium.
var ErrMissing = errors.New("no Chromium is found: install chromium, or name its executable in " + ExecutableVariable)

// executables are the names that Chromium goes by. The first has no user interface and no extensions: tests take half as much time of the
// processor with it as with the whole browser.
var executables = []string{
	"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
	"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
}

// closeTimeout ends the wait for a browser that does not end by itself. A busy machine takes its time.
const closeTimeout = 2 * time.Minute

// Find returns the path of the Chromium to drive: the one that ExecutableVariable names, or the first that is found.
// Where there is none, the error is ErrMissing.
func Find() (string, error) {
	if name := os.Getenv(ExecutableVariable); name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("%s names no program: %w", ExecutableVariable, err)
		}
		return path, nil
	}
	for _, name := range executables {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrMissing
}

// A Browser is a running Chromium. Many pages can be open in it at the same time.
type Browser struct{ ctx context.Context }

// Start starts a Chromium that lives until it is closed or the context ends. It reaches nothing but this machine.
func Start(ctx context.Context) (*Browser, error) {
	path, err := Find()
	if err != nil {
		return nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.Flag("font-render-hinting", "none"), // letters are as wide on every machine
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // with it, Chromium refuses to run as root
	}
	// The first run starts the browser, in whose context every page is opened.
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(options...))
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return &Browser{ctx}, nil
}

// Close closes all pages, and returns when the browser has ended.
func (b *Browser) Close() error {
	ctx, cancel := context.WithTimeout(b.ctx, closeTimeout)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil {
		return fmt.Errorf("closing Chromium: %w", err)
	}
	return nil
}
