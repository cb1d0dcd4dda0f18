package browser

import (
	"cmp"
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"restock/internal/web"
)

// A Visitor describes a visitor's preferences and screen. All visitors prefer reduced motion, so
// that a page without changes looks the same at any time.
type Visitor struct {
	Languages     string  // the preferred languages, as in Accept-Language: "ko-KR,ko;q=0.9"
	Dark          bool    // whether the preferred colour scheme is dark
	Width, Height int64   // the viewport, in CSS pixels
	Scale         float64 // device pixels per CSS pixel; 0 means 1
	Touch         bool    // whether the device is a phone, with touch and without a mouse
	Timezone      string  // for example "Asia/Seoul"; empty means the machine's
}

// Desktop and Phone are visitors who read the shop's first language, with a usual and with a small
// screen.
var (
	Desktop = Visitor{Languages: web.DefaultLanguage, Width: 1280, Height: 900}
	Phone   = Visitor{Languages: web.DefaultLanguage, Width: 360, Height: 740, Touch: true}
)

// In returns a visitor with other preferred languages.
func (v Visitor) In(languages string) Visitor {
	v.Languages = languages
	return v
}

// InTheDark returns a visitor who prefers the dark colour scheme.
func (v Visitor) InTheDark() Visitor {
	v.Dark = true
	return v
}

// emulate makes a page behave as for the visitor.
func (v Visitor) emulate(ctx context.Context, t *chromedp.Target) error {
	userAgent, err := chromedp.Evaluate[string]("navigator.userAgent")(ctx, t)
	if err != nil {
		return err
	}
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	_, err = chromedp.Steps(
		command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
			UserAgent: userAgent, AcceptLanguage: v.Languages,
		}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}}),
		command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: v.Width, Height: v.Height, DeviceScaleFactor: cmp.Or(v.Scale, 1), Mobile: v.Touch,
		}),
		command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: v.Touch}),
		command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: v.Timezone}),
		// The page behaves as if its window were in front.
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
	)(ctx, t)
	return err
}

// command returns an action that sends a command of the protocol and ignores the answer.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}
