package browser_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql"
	business "restock/internal/shop"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

func (c card) wait() string  { return c.part(".wait") }
func (c card) place() string { return c.part(".place") }

// adjust sets a product's stock as the merchant does, which answers the waitlist.
func (s *shop) adjust(t *testing.T, sku string, stock int) {
	t.Helper()
	_, err := mysql.NewStore(s.db).Adjust(t.Context(), business.Adjustment{
		ID: uuid.New(), SKU: sku, To: &stock, Reason: "counted", At: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestABuyerWaitsForASoldOutProductAndComesBack(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for name, visitor := range map[string]browser.Visitor{
		"light, a phone":  browser.Phone,
		"dark, a desktop": browser.Desktop.In(last.Tag).InTheDark(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := first
			if name != "light, a phone" {
				l = last
			}
			visitor.Width = min(visitor.Width, 390)
			sku := s.sell(t, product{})
			other, card := s.visit(t, visitor, sku)
			other.Click(card.wait())
			other.AwaitText(card.place(), text(l, "inLine", "{n}", "1"))
			page, _ := s.visit(t, visitor, sku)
			page.AwaitText(card.wait(), text(l, "wait"))
			page.Focus(card.wait())
			page.Press("\r")
			page.AwaitText(card.place(), text(l, "inLine", "{n}", "2"))
			page.AwaitFocused("button " + text(l, "waiting"))
			page.CheckAccessibility()
			width := browsertest.Evaluate[int64](page, "document.documentElement.scrollWidth")
			if width > visitor.Width {
				t.Errorf("the page is %d px wide, want at most %d", width, visitor.Width)
			}
			page.Reload()
			page.AwaitText(card.place(), text(l, "inLine", "{n}", "2"))

			s.adjust(t, sku, 1) // one piece calls one buyer
			other.AwaitText(card.place(), text(l, "called"))
			page.AwaitText(card.place(), text(l, "inLine", "{n}", "1"))
			page.AwaitText(card.stock(), stockText(l, 1)) // who is quicker can still buy it
			s.adjust(t, sku, 0)
			// A page that misses this asks for its place only within a minute.
			page.AwaitText(card.stock(), text(l, "soldOut"))
			other.AwaitText(card.place(), text(l, "missed"))
			other.CheckAccessibility()
			s.adjust(t, sku, 1)
			page.AwaitText(card.place(), text(l, "called"))
			page.CheckAccessibility()
			for _, p := range []*browsertest.Page{page, other} {
				p.Reload()
				p.AwaitText(card.stock(), stockText(l, 1))
				if got := p.Text(card.place()); got != "" {
					t.Errorf("the page says %q again after a reload, want nothing: the buyer has seen it", got)
				}
			}
			var entries int
			s.read(t, &entries, `SELECT COUNT(*) FROM waitlist JOIN product USING (product_id) WHERE sku = ?`, sku)
			if entries != 2 {
				t.Errorf("%d places are stored, want one for each buyer", entries)
			}
		})
	}
}

func TestAHiddenTabTellsByItsTitleThatItIsTheBuyersTurn(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		t.Run(l.Tag, func(t *testing.T) {
			t.Parallel()
			s := openCrowded(t, browser.Phone.In(l.Tag), listed(0))
			s.awaitPause(0)
			card := card("CP-1")
			s.setPlace(200, `"state":"waiting","place":12`)
			s.AwaitText(card.wait(), text(l, "wait"))
			s.Click(card.wait())
			s.AwaitText(card.place(), text(l, "inLine", "{n}", "12"))
			browsertest.Evaluate[bool](s.Page, fmt.Sprintf(show, false))
			s.awaitPause(1) // the visibility ended the first pause
			s.set(listed(5))
			s.resume(1)
			s.awaitPause(2) // stock came, and it is not the buyer's turn
			if title := browsertest.Evaluate[string](s.Page, "document.title"); title != text(l, "shop") {
				t.Errorf("the title is %q, want %q until it is the buyer's turn", title, text(l, "shop"))
			}
			s.set(listed(9))
			s.setPlace(200, `"state":"back"`)
			s.resume(2)
			s.Await("document.title === " + browser.Quote(text(l, "arrived", "{name}", "도너츠 1")))
			s.awaitPause(3)
			s.resume(3)
			s.Await("!polling") // nobody waits any more
			if !browsertest.Evaluate[bool](s.Page, `localStorage.getItem("place of CP-1").includes("12")`) {
				t.Error("the browser has forgotten the place before the buyer saw that it is their turn")
			}
			browsertest.Evaluate[bool](s.Page, fmt.Sprintf(show, true))
			s.AwaitText(card.place(), text(l, "called"))
			if title := browsertest.Evaluate[string](s.Page, "document.title"); title != text(l, "shop") {
				t.Errorf("the title is %q after the buyer came back, want %q", title, text(l, "shop"))
			}
			if !browsertest.Evaluate[bool](s.Page, `localStorage.getItem("place of CP-1") === "null"`) {
				t.Error("the browser remembers a place that the buyer no longer has")
			}
			s.Await(element(card.wait()) + ".hidden")
			if focused := s.Focused(); !strings.HasPrefix(focused, "button "+s.Text(card.buy())) {
				t.Errorf("the focus is on %q after the button to wait has gone, want the button to buy", focused)
			}
		})
	}
}

// waitInLine opens the storefront with a sold-out product, and takes a place on its waitlist. The
// page's first pause has the number 1.
func waitInLine(t *testing.T, products shopAnswer) *crowdedShop {
	t.Helper()
	s := openCrowded(t, browser.Phone, products)
	s.awaitPause(0)
	s.setPlace(200, `"state":"waiting","place":12`)
	s.Click(crowdedCard.wait())
	s.AwaitText(crowdedCard.place(), text(first, "inLine", "{n}", "12"))
	return s
}

func TestAHiddenTabDoesNotCallABuyerWhosePlaceExpired(t *testing.T) {
	t.Parallel()
	s := waitInLine(t, listed(0))
	browsertest.Evaluate[bool](s.Page, fmt.Sprintf(show, false))
	s.awaitPause(1)
	s.setPlace(200, `"state":"expired"`)
	browsertest.Evaluate[bool](s.Page, `(cards.get("CP-1").askedAt = -Infinity, true)`)
	s.resume(1)
	s.AwaitText(crowdedCard.place(), text(first, "waitExpired"))
	if title := browsertest.Evaluate[string](s.Page, "document.title"); title != text(first, "shop") {
		t.Errorf("the title is %q, want %q", title, text(first, "shop"))
	}
}

// The page may know that it is the buyer's turn before a cache knows of the stock.
func TestABuyerIsCalledWhileACacheStillSaysSoldOut(t *testing.T) {
	t.Parallel()
	s := waitInLine(t, listed(0))
	s.setPlace(200, `"state":"back"`)
	browsertest.Evaluate[bool](s.Page, `(cards.get("CP-1").askedAt = -Infinity, endPause(), true)`)
	s.AwaitText(crowdedCard.place(), text(first, "called"))
	s.awaitPause(1)
	soldOut := func(at string) {
		browsertest.Evaluate[bool](s.Page, `(() => {
			const card = cards.get("CP-1");
			card.update({ ...card.product, stock: 0 }, `+at+`);
			return true;
		})()`)
	}
	soldOut("Date.now() - 60000")
	if got := s.Text(crowdedCard.place()); got != text(first, "called") {
		t.Errorf("an older answer makes the page say %q, want %q", got, text(first, "called"))
	}
	soldOut("Date.now() + 60000")
	s.AwaitText(crowdedCard.place(), text(first, "missed"))
}

func TestAPurchaseEndsAPlaceAlsoIfAQuestionIsOnItsWay(t *testing.T) {
	t.Parallel()
	s := waitInLine(t, listed(0))
	browsertest.Evaluate[bool](s.Page, `(() => {
		const card = cards.get("CP-1");
		window.asked = card.askForPlace("GET", "/waitlist/7");
		card.setWaiting(null); // as a purchase does
		card.render();
		return true;
	})()`)
	browsertest.Evaluate[bool](s.Page, "asked.then(() => true)")
	if got := s.Text(crowdedCard.place()); got != "" {
		t.Errorf("the page says %q, want nothing", got)
	}
	if !browsertest.Evaluate[bool](s.Page, `localStorage.getItem("place of CP-1") === "null"`) {
		t.Error("the browser remembers a place that the buyer has used")
	}
}

func TestAPlaceThatCannotBeHadIsExplained(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Desktop, listed(0))
	s.awaitPause(0)
	card := card("CP-1")
	for _, test := range []struct {
		status int
		body   string
		text   string
	}{
		{503, `"code":"unavailable"`, text(first, "waitFailed")},
		{409, `"code":"waitlist_full"`, text(first, "waitlistFull")},
		{200, `"state":"expired"`, text(first, "waitExpired")},
	} {
		s.setPlace(test.status, test.body)
		if test.status != 200 {
			s.Expect(fmt.Sprintf("POST /products/CP-1/waitlist: answered with %d", test.status))
		}
		s.Click(card.wait())
		s.AwaitText(card.place(), test.text)
		s.CheckAccessibility(card.place())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.joins) != 3 || s.joins[0] == "" || s.joins[1] != s.joins[0] || s.joins[2] != s.joins[0] {
		t.Errorf("the requests had the keys %q, want one key until there is an answer with a place", s.joins)
	}
}
