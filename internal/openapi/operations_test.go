package openapi_test

import (
	"restock/internal/buyer"
	"restock/internal/merchant"
	"restock/internal/shop"
	"restock/lambdas"
)

// An operation says what the document cannot learn from the declaration of a route.
type operation struct {
	id, summary string
	query       []string // names in parameters
	keyed       bool     // reads the header Idempotency-Key
	request     any      // the type of the body; nil: none
	optional    bool     // the body may be omitted
	answer      any      // the type of the answer in JSON; nil: see media
	media       string   // the type of an answer that is not described further
	status      int      // of success; 0: 200
	shared      bool     // the answer is the same for everybody, and has an ETag
	codes       []shop.Code
}

// reads are the codes of every operation that reads the database, writes those of every operation
// that changes it.
var (
	reads  = []shop.Code{shop.CodeUnavailable, shop.CodeInternal}
	writes = append([]shop.Code{shop.CodeInvalidRequest, shop.CodeOutcomeUnknown}, reads...)
)

func codes(common []shop.Code, own ...shop.Code) []shop.Code { return append(own, common...) }

// operations describes every route but lambdas.RouteDefault.
var operations = map[string]operation{
	lambdas.RouteStorefront: {id: "storefront", summary: "The storefront", media: "text/html", shared: true},
	lambdas.RouteOpenAPI:    {id: "openapi", summary: "This document", media: "application/json", shared: true},
	lambdas.RouteProducts: {
		id: "products", summary: "All products with their stock", answer: buyer.Products{}, shared: true, codes: reads,
	},
	lambdas.RouteProduct: {
		id: "product", summary: "A product with its stock", answer: buyer.Product{},
		codes: codes(reads, shop.CodeUnknownProduct),
	},
	lambdas.RouteDonut: {
		id: "donut", summary: "The doughnut that a checkout without a body buys", answer: buyer.Product{},
		codes: codes(reads, shop.CodeUnknownProduct),
	},
	lambdas.RouteCheckout: {
		id: "buy", summary: "Buys a product; a retry with the same Idempotency-Key is the same sale",
		keyed: true, request: buyer.Purchase{}, optional: true, answer: buyer.Sale{},
		codes: codes(writes, shop.CodeInvalidQuantity, shop.CodeInvalidIdempotencyKey, shop.CodeIdempotencyKeyReused,
			shop.CodeUnknownProduct, shop.CodeOutOfStock),
	},
	lambdas.RouteSale: {
		id: "sale", summary: "A sale, for the buyer who knows its id", answer: buyer.PastSale{},
		codes: codes(reads, shop.CodeUnknownSale),
	},
	lambdas.RouteJoinWaitlist: {
		id:      "joinWaitlist",
		summary: "Waits for a sold-out product; a retry with the same Idempotency-Key is the same place",
		keyed:   true, answer: buyer.WaitlistEntry{},
		codes: codes(reads, shop.CodeOutcomeUnknown, shop.CodeInvalidIdempotencyKey, shop.CodeIdempotencyKeyReused,
			shop.CodeUnknownProduct, shop.CodeInStock, shop.CodeWaitlistFull),
	},
	lambdas.RouteWaitlist: {
		id: "waitlistEntry", summary: "A place on a waitlist, for the buyer who knows its id",
		answer: buyer.WaitlistEntry{}, codes: codes(reads, shop.CodeUnknownWaitlistEntry),
	},
	lambdas.RouteGoodsReceipt: {
		id: "deliver", summary: "The factory's callback: 200 as soon as the queue has it. Its URL is signed",
		query: []string{"quantity", "correlation", "signature"},
	},
	lambdas.RouteManufactures: {
		id: "manufacture", summary: "The simulated factory, which not every stage has",
		media: "application/json", status: 201,
	},
	lambdas.RouteMerchantProducts: {
		id: "merchantProducts", summary: "All products with their policies", answer: merchant.Products{},
		codes: codes(reads, shop.CodeInvalidRequest),
	},
	lambdas.RouteCreateProduct: {
		id: "createProduct", summary: "Creates a product", request: merchant.NewProduct{}, answer: merchant.Product{},
		status: 201, codes: codes(writes, shop.CodeInvalidProduct, shop.CodeProductExists, shop.CodeUnknownFactory),
	},
	lambdas.RouteChangeProduct: {
		id: "changeProduct", summary: "Changes a product or its policy; orders what is short by the new policy",
		request: merchant.ProductChange{}, optional: true, answer: merchant.Product{},
		codes: codes(writes, shop.CodeInvalidProduct, shop.CodeUnknownProduct, shop.CodeUnknownFactory,
			shop.CodeProductInUse, shop.CodeProductArchived),
	},
	lambdas.RouteAdjustStock: {
		id: "adjustStock", summary: "Corrects the stock; a retry with the same Idempotency-Key is the same adjustment",
		keyed: true, request: merchant.Adjustment{}, answer: merchant.Adjusted{},
		codes: codes(writes, shop.CodeInvalidQuantity, shop.CodeInvalidReason, shop.CodeInvalidIdempotencyKey,
			shop.CodeIdempotencyKeyReused, shop.CodeUnknownProduct, shop.CodeOutOfStock),
	},
	lambdas.RouteUndoAdjustment: {
		id: "undoAdjustment", summary: "Books the opposite of an adjustment, once; number is its number in bin 0",
		request: merchant.Undo{}, optional: true, answer: merchant.Adjusted{},
		codes: codes(writes, shop.CodeUnknownProduct, shop.CodeUnknownAdjustment, shop.CodeOutOfStock),
	},
	lambdas.RouteImport: {
		id:      "importProducts",
		summary: "Creates and changes products, all or nothing; a retry with the same Idempotency-Key is made once",
		keyed:   true, request: merchant.Import{}, answer: merchant.Imported{},
		codes: codes(writes, shop.CodeInvalidProduct, shop.CodeProductExists, shop.CodeUnknownFactory,
			shop.CodeInvalidIdempotencyKey, shop.CodeIdempotencyKeyReused),
	},
	lambdas.RouteFactories: {
		id: "factories", summary: "All factories", answer: merchant.Factories{},
		codes: codes(reads, shop.CodeInvalidRequest),
	},
	lambdas.RouteSales: {
		id: "sales", summary: "Sales from a time until before another, by product; 366 days at most",
		query: []string{"from", "to"}, answer: merchant.Sales{}, codes: codes(reads, shop.CodeInvalidRequest),
	},
	lambdas.RouteNotices: {
		id: "notices", summary: "What the shop told people, newest first", query: []string{"before", "limit"},
		answer: merchant.Notices{}, codes: codes(reads, shop.CodeInvalidRequest),
	},
	lambdas.RouteLedger: {
		id: "ledger", summary: "Every change of a product's stock, newest first", query: []string{"before", "limit"},
		answer: merchant.Ledger{}, codes: codes(reads, shop.CodeInvalidRequest, shop.CodeUnknownProduct),
	},
	lambdas.RouteProductionOrders: {
		id: "productionOrders", summary: "Production orders, newest first",
		query: []string{"before", "limit", "prefix", "sku", "status"}, answer: merchant.ProductionOrders{},
		codes: codes(reads, shop.CodeInvalidRequest, shop.CodeUnknownProduct),
	},
	lambdas.RouteProductionOrder: {
		id: "productionOrder", summary: "A production order", answer: merchant.ProductionOrder{},
		codes: codes(reads, shop.CodeInvalidRequest, shop.CodeUnknownOrder),
	},
	lambdas.RouteOpenProductionOrder: {
		id: "openProductionOrder", summary: "Opens a production order", request: merchant.NewOrder{},
		answer: merchant.ProductionOrder{}, status: 201,
		codes: codes(writes, shop.CodeInvalidQuantity, shop.CodeUnknownProduct, shop.CodeOrderOpen,
			shop.CodeProductArchived),
	},
	lambdas.RouteCancelProductionOrder: {
		id:      "cancelProductionOrder",
		summary: "Cancels a production order; a delivery that comes all the same is booked",
		request: merchant.Cancellation{}, optional: true, answer: merchant.ProductionOrder{},
		codes: codes(writes, shop.CodeUnknownOrder, shop.CodeOrderNotOpen),
	},
}
