package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// problems collects the problems of a page.
type problems struct {
	origin string // the page's origin

	mu       sync.Mutex // guards the fields below
	requests map[network.RequestID]string
	found    []string
}

func (p *problems) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.found)
}

// listen gets every event of the page's tab.
func (p *problems) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.add("uncaught: %v", &chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails})
	case *runtime.EventConsoleAPICalled:
		switch e.Type {
		case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
			p.add("console.%s: %s", e.Type, arguments(e.Args))
		}
	case *log.EventEntryAdded:
		// Network problems come as events of their own, which contain more.
		serious := e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning
		if serious && e.Entry.Source != log.EntrySourceNetwork {
			p.add("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		p.request(e)
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			p.add("%s: answered with %d", p.requests[e.RequestID], e.Response.Status)
		}
	case *network.EventLoadingFailed:
		// A request that the page cancelled is no problem. For a request that the policy blocked,
		// the log has an entry with the reason.
		if !e.Canceled && e.BlockedReason != network.BlockedReasonCsp && e.ErrorText != "net::ERR_BLOCKED_BY_CSP" {
			p.add("%s: %s %s", p.requests[e.RequestID], e.ErrorText, e.BlockedReason)
		}
	}
}

// request remembers a request. A request to another origin is a problem.
func (p *problems) request(e *network.EventRequestWillBeSent) {
	address := e.Request.URL
	path, own := strings.CutPrefix(address, p.origin+"/")
	if own {
		address = "/" + path
	}
	if p.requests == nil {
		p.requests = make(map[network.RequestID]string)
	}
	p.requests[e.RequestID] = e.Request.Method + " " + address
	local := strings.HasPrefix(address, "data:") || strings.HasPrefix(address, "blob:") || address == "about:blank"
	if !own && !local {
		p.add("request to another origin: %s", address)
	}
}

func (p *problems) add(format string, args ...any) {
	p.found = append(p.found, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// arguments returns the arguments of a call of console as text.
func arguments(args []*runtime.RemoteObject) string {
	var texts []string
	for _, arg := range args {
		text := arg.Description
		if text == "" {
			text = asText(arg.Value)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// asText returns a JSON value as text: a string without quotes, another value as it is.
func asText(value []byte) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}
