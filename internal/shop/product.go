package shop

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A Product is something that the shop sells.
type Product struct {
	ID         uuid.UUID
	SKU        string
	Name       string
	Names      map[string]string // in other languages, by the tag of the language
	Price      int64             // in the minor unit of Currency
	Stock      int               // on hand
	Bins       int               // how many rows the stock lies in; see [MaxBins]
	OnOrder    int               // still to come from the open production order; 0: none is open
	MaxPerSale int               // the largest quantity of one sale; 0: no limit
	Factory    string
	Policy     Policy
	// WaitedAt is when a buyer last waited while all bins were busy with other buyers. More
	// bins may help. It is zero if none did since the number of bins was set.
	WaitedAt time.Time
	// ExpectedAt is when the stock that is on order should arrive: in the past if it is late, zero
	// if nothing is on order.
	ExpectedAt time.Time
	// ArchivedAt is when the merchant archived the product. It is zero if the product is on sale.
	// An archived product has no stock and no open order, and is not automatic.
	ArchivedAt time.Time
}

// Position returns the stock position: on hand plus on order.
func (p Product) Position() int { return p.Stock + p.OnOrder }

// Suggestion returns how much the policy would order now. It is 0 if a production order is open, or
// the product is not short, or it is archived.
func (p Product) Suggestion() int {
	if p.OnOrder > 0 || !p.ArchivedAt.IsZero() {
		return 0
	}
	return p.Policy.OrderQuantity(p.Stock)
}

// A NewProduct is a product that the merchant creates.
type NewProduct struct {
	SKU        string
	Name       string
	Price      int64 // in the minor unit of Currency
	Stock      int   // on hand; the first entry of the ledger
	Bins       int   // from 1 to MaxBins
	MaxPerSale int   // 0: no limit
	Factory    string
	Policy     Policy
}

// A ProductChange says which fields of a product to change. A nil field stays as it is.
type ProductChange struct {
	Name *string
	// Language says which of the names Name is, by the tag of a language. Nil: the name of readers
	// whose language has none. An empty Name removes the name in a language.
	Language   *string
	Archived   *bool  // comes alone
	Price      *int64 // in the minor unit of Currency
	Bins       *int
	MaxPerSale *int // 0: no limit
	Factory    *string

	ReorderPoint *int
	OrderUpTo    *int
	LotSize      *int
	MinimumOrder *int
	LeadTime     *time.Duration
	Automatic    *bool
}

// apply returns the product after the change.
func (c ProductChange) apply(p Product) Product {
	switch {
	case c.Language == nil:
		set(&p.Name, c.Name)
	case c.Name != nil:
		if p.Names = maps.Clone(p.Names); p.Names == nil {
			p.Names = map[string]string{}
		}
		p.Names[*c.Language] = *c.Name
	}
	set(&p.Price, c.Price)
	set(&p.Bins, c.Bins)
	set(&p.MaxPerSale, c.MaxPerSale)
	set(&p.Factory, c.Factory)
	set(&p.Policy.ReorderPoint, c.ReorderPoint)
	set(&p.Policy.OrderUpTo, c.OrderUpTo)
	set(&p.Policy.LotSize, c.LotSize)
	set(&p.Policy.MinimumOrder, c.MinimumOrder)
	set(&p.Policy.LeadTime, c.LeadTime)
	set(&p.Policy.Automatic, c.Automatic)
	return p
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// MaxBins is the largest number of bins of a product. The stock of a product lies in its bins, and
// buyers who take from different bins do not wait for each other. So a product with more bins sells
// faster. The shop sells what all bins together have.
const MaxBins = 64

// MoreBins returns how many bins a product should get if its buyers wait for each other.
func MoreBins(bins int) int { return min(8*bins, MaxBins) }

const (
	maxName  = 100     // in characters
	maxNames = 20      // languages
	maxPrice = 1 << 53 // JavaScript reads larger numbers of JSON inexactly
)

// skuPattern compiles the pattern when it is first needed. Most functions never need it, and their
// cold start is shorter without it.
var skuPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
})

var languagePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)
})

// IsSKU reports whether a text may be a SKU.
func IsSKU(text string) bool { return skuPattern().MatchString(text) }

// IsLanguage reports whether a text may be the tag of a language, like en or zh-Hant.
func IsLanguage(text string) bool { return languagePattern().MatchString(text) }

// validate returns an error with CodeInvalidProduct if the product cannot be sold.
func (p Product) validate() error {
	switch {
	case !IsSKU(p.SKU):
		return refuse(CodeInvalidProduct,
			fmt.Sprintf("the SKU is %.80q, it must be 1 to 64 letters, digits, dots, dashes and underscores of ASCII, "+
				"and begin with a letter or a digit", p.SKU))
	case !isText(p.Name, maxName):
		return refuse(CodeInvalidProduct,
			fmt.Sprintf("the name is %.120q, it must be 1 to %d printable characters without spaces around them",
				p.Name, maxName))
	case len(p.Names) > maxNames:
		return refuse(CodeInvalidProduct,
			fmt.Sprintf("the product has names in %d languages, %d are allowed", len(p.Names), maxNames))
	case p.Price < 0 || p.Price > maxPrice:
		return refuse(CodeInvalidProduct,
			fmt.Sprintf("the price is %d, it must be from 0 to %d", p.Price, int64(maxPrice)))
	case p.Stock < 0 || p.Stock > MaxQuantity:
		return refuse(CodeInvalidProduct, fmt.Sprintf("the stock is %d, it must be from 0 to %d", p.Stock, MaxQuantity))
	case p.Bins < 1 || p.Bins > MaxBins:
		return refuse(CodeInvalidProduct,
			fmt.Sprintf("the number of bins is %d, it must be from 1 to %d", p.Bins, MaxBins))
	case p.MaxPerSale < 0 || p.MaxPerSale > MaxQuantity:
		return refuse(CodeInvalidProduct,
			fmt.Sprintf("the limit per sale is %d, it must be from 0 (no limit) to %d", p.MaxPerSale, MaxQuantity))
	}
	return p.Policy.validate()
}

// A ProductStore keeps products.
type ProductStore interface {
	// Products lists all products, sorted by SKU.
	Products(context.Context) ([]Product, error)
	// Product finds a product by its SKU. Errors: CodeUnknownProduct.
	Product(ctx context.Context, sku string) (Product, error)
	// CreateProduct stores a product, and its stock as the first entry of its ledger. Errors:
	// CodeProductExists, CodeUnknownFactory.
	CreateProduct(context.Context, Product, time.Time) error
	// ChangeProduct changes fields of an existing product. Errors: CodeProductExists,
	// CodeUnknownFactory, CodeProductInUse, CodeProductArchived, and CodeInvalidProduct if the
	// policy makes no sense together with another change at the same time.
	ChangeProduct(ctx context.Context, sku string, c ProductChange, at time.Time) error
}

// Products lists all products, sorted by SKU.
func (s *Shop) Products(ctx context.Context) ([]Product, error) { return s.Store.Products(ctx) }

// Product finds a product by its SKU. Errors: CodeUnknownProduct.
func (s *Shop) Product(ctx context.Context, sku string) (Product, error) {
	return s.Store.Product(ctx, sku)
}

// CreateProduct puts a product on sale. If it is short from the start, a production order opens.
//
// Errors: CodeInvalidProduct, CodeProductExists (the SKU or the name is taken), CodeUnknownFactory.
func (s *Shop) CreateProduct(ctx context.Context, n NewProduct) (Product, error) {
	p := Product{
		SKU: n.SKU, Name: normal(n.Name), Price: n.Price, Stock: n.Stock, Bins: n.Bins,
		MaxPerSale: n.MaxPerSale, Factory: n.Factory, Policy: n.Policy,
	}
	if err := p.validate(); err != nil {
		return Product{}, err
	}
	var err error
	if p.ID, err = s.NewID(); err != nil {
		return Product{}, fmt.Errorf("making a product id: %w", err)
	}
	if err := s.Store.CreateProduct(ctx, p, s.now()); err != nil {
		return Product{}, err
	}
	s.check(ctx, p.SKU)
	return s.changed(ctx, p.SKU, "created")
}

// ChangeProduct changes fields of a product. If the product is short by its new policy, a
// production order opens. An order that is open already does not change.
//
// Errors: CodeInvalidProduct (also if no field is to change), CodeUnknownProduct, CodeProductExists
// (the name is taken), CodeUnknownFactory, CodeProductInUse (it cannot be archived while it has
// stock or an open order), CodeProductArchived.
func (s *Shop) ChangeProduct(ctx context.Context, sku string, c ProductChange) (Product, error) {
	if c == (ProductChange{}) {
		return Product{}, refuse(CodeInvalidProduct, "the request changes nothing")
	}
	if c.Archived != nil && c != (ProductChange{Archived: c.Archived}) {
		return Product{}, refuse(CodeInvalidProduct, "the request archives the product, and changes something else: "+
			"send two requests")
	}
	if c.Name != nil {
		name := normal(*c.Name)
		c.Name = &name
	}
	if err := c.validateLanguage(); err != nil {
		return Product{}, err
	}
	p, err := s.Store.Product(ctx, sku)
	if err != nil {
		return Product{}, err
	}
	if err := c.apply(p).validate(); err != nil {
		return Product{}, err
	}
	if err := s.Store.ChangeProduct(ctx, sku, c, s.now()); err != nil {
		return Product{}, err
	}
	s.check(ctx, sku)
	return s.changed(ctx, sku, "changed")
}

// validateLanguage checks the name in a language. Product.validate checks the product's own name.
func (c ProductChange) validateLanguage() error {
	switch {
	case c.Language == nil:
		return nil
	case !IsLanguage(*c.Language):
		return refuse(CodeInvalidProduct,
			fmt.Sprintf("the language is %.40q, it must be the tag of a language, like en or zh-Hant", *c.Language))
	case c.Name == nil:
		return refuse(CodeInvalidProduct, "the request has a language and no name: it is the language of the name")
	case *c.Name != "" && !isText(*c.Name, maxName):
		return refuse(CodeInvalidProduct, fmt.Sprintf("the name in the language %s is %.120q, it must be at most "+
			"%d printable characters without spaces around them", *c.Language, *c.Name, maxName))
	}
	return nil
}

// changed reads a product after a stored change.
func (s *Shop) changed(ctx context.Context, sku, how string) (Product, error) {
	p, err := s.Store.Product(ctx, sku)
	if err != nil {
		return Product{}, done("product "+sku+" was "+how, err)
	}
	return p, nil
}
