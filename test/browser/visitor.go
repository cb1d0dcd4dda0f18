package browser

import (
	"cmp"
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A Visitor is who looks at a page, and on what. Visitors ask for less motion: a page that does not move is always the same.
type Visitor struct {
	Languages     string  // those preferred, as in Accept-Language: "ko-KR,ko;q=0.9"
	Dark          bool    // the preferred colour scheme; light if not
	Width, Height int64   // of the viewport, in CSS pixels
	Scale         float64 // device pixels a CSS pixel; 0 means 1
	Touch         bool    // a phone: with touch, without a mouse
	Timezone      string  // like "Asia/Seoul"; empty means the machine's
}

// Desktop and Phone are visitors from Korea, on the usual screen and on a small one.
var (
	Desktop = Visitor{Languages: "ko-KR,ko", Width: 1280, Height: 900}
	Phone   = Visitor{Languages: "ko-KR,ko", Width: 360, Height: 740, Touch: true}
)

// In returns the visitor with other preferred languages.
func (v Visitor) In(languages string) Visitor {
	v.Languages = languages
	return v
}

// InTheDark returns the visitor with the dark colour scheme.
func (v Visitor) InTheDark() Visitor {
	v.Dark = true
	return v
}

// arrive makes a page see the visitor.
func (v Visitor) arrive(ctx context.Context, t *chromedp.Target) error {
	userAgent, err := chromedp.Evaluate[string]("navigator.userAgent")(ctx, t)
	if err != nil {
		return err
	}
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	_, err = chromedp.Steps(
		command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: userAgent, AcceptLanguage: v.Languages}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}}),
		command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: v.Width, Height: v.Height, DeviceScaleFactor: cmp.Or(v.Scale, 1), Mobile: v.Touch,
		}),
		command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: v.Touch}),
		command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: v.Timezone}),
		// A page in a window behind others is looked at, too.
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
	)(ctx, t)
	return err
}

// command is a command of the protocol whose answer says nothing.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}
