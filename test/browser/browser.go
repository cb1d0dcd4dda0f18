// Package browser drives a headless Chromium over the DevTools protocol. It records the problems of
// each page: errors in the console, failed requests, blocked scripts.
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

// ExecutableVariable is the environment variable with the name or path of the Chromium to start.
const ExecutableVariable = "CHROMIUM"

// ErrMissing is the error if this machine has no Chromium.
var ErrMissing = errors.New("no Chromium is found: install chromium, or name its executable in " + ExecutableVariable)

// executables are the names of Chromium's executables, in order of preference. The first has no
// user interface and no extensions: with it, tests take half the processor time.
var executables = []string{
	"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
}

// closeTimeout ends the wait for a browser that does not exit. It is long, for a busy machine.
const closeTimeout = 2 * time.Minute

// Find returns the path of the Chromium that ExecutableVariable names, or else of the first
// executable that it finds. It returns ErrMissing if there is none.
func Find() (string, error) {
	if name := os.Getenv(ExecutableVariable); name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("finding the program that %s names: %w", ExecutableVariable, err)
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

// A Browser is a running Chromium. It can have many open pages.
type Browser struct{ ctx context.Context }

// Start starts a Chromium that runs until Close is called or the context ends. It can connect only
// to this machine.
func Start(ctx context.Context) (*Browser, error) {
	path, err := Find()
	if err != nil {
		return nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.Flag("font-render-hinting", "none"), // text has the same width on every machine
		// Without shared memory Chromium uses files in /tmp, which the system writes to a disk.
		chromedp.Flag("disable-dev-shm-usage", !hasSharedMemory()),
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with a sandbox
	}
	// The first call of Do starts the browser. All pages are opened in its context.
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(options...))
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return &Browser{ctx}, nil
}

// Close closes all pages and waits until the browser has exited.
func (b *Browser) Close() error {
	ctx, cancel := context.WithTimeout(b.ctx, closeTimeout)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil {
		return fmt.Errorf("closing Chromium: %w", err)
	}
	return nil
}
