// Package lambdas declares the Lambda functions: what triggers each one, which environment it
// reads, what it may do, and its limits.
//
// The infrastructure makes functions, routes, roles and event sources from the declarations. The
// handlers decode the same environment structs and serve the same routes. The package imports
// neither Pulumi nor the AWS SDK.
package lambdas

import (
	"slices"
	"time"
)

// Folder is the folder of the handlers, below the module's root. Each handler has a folder with the
// function's name.
const Folder = "lambdas"

// Names of topics and queues.
const (
	StockEmptyTopic = "stock_empty"      // SNS topic: messages about products that the factory shall make
	OperationsTopic = "stock_operations" // SNS topic: messages to people
	StockQueue      = "stock_queue"      // SQS queue: buffers stock_empty for the function stock
	AdsQueue        = "ads_queue"        // SQS queue: buffers stock_empty for the function ads
	FactoryQueue    = "factory_queue"    // SQS queue: keeps the lots of the simulated factory until they are done
	DeliveriesQueue = "deliveries_queue" // SQS queue: keeps the factory's callbacks for stock-increase
)

// DeadLetterQueue returns the name of a queue's dead-letter queue. It keeps the messages that the
// queue's function could not handle.
func DeadLetterQueue(queue string) string { return queue + "_dlq" }

// The routes of the HTTP API. API Gateway's route keys and net/http's patterns have the same form.
const (
	RouteStorefront   = "GET /"
	RouteOpenAPI      = "GET /openapi.json" // describes all routes
	RouteProducts     = "GET /products"
	RouteProduct      = "GET /products/{sku}"
	RouteDonut        = "GET /product/donut" // existing clients use this path
	RouteCheckout     = "POST /checkout"
	RouteSale         = "GET /sales/{sale}" // what a buyer bought
	RouteJoinWaitlist = "POST /products/{sku}/waitlist"
	RouteWaitlist     = "GET /waitlist/{entry}"
	RouteDefault      = "$default" // all requests that no other route matches
	RouteGoodsReceipt = "POST /production-orders/{order}/attempts/{attempt}/receipt"
	RouteManufactures = "POST /api/manufactures" // of the simulated factory; the factory's contract names it
)

// The merchant's routes of the HTTP API.
const (
	RouteMerchantProducts      = "GET /merchant/products"
	RouteCreateProduct         = "POST /merchant/products"
	RouteChangeProduct         = "PATCH /merchant/products/{sku}"
	RouteAdjustStock           = "POST /merchant/products/{sku}/adjustments"
	RouteUndoAdjustment        = "POST /merchant/products/{sku}/adjustments/{number}/undo"
	RouteImport                = "POST /merchant/imports"
	RouteFactories             = "GET /merchant/factories"
	RouteSales                 = "GET /merchant/sales"
	RouteNotices               = "GET /merchant/notices"
	RouteLedger                = "GET /merchant/products/{sku}/ledger"
	RouteProductionOrders      = "GET /merchant/production-orders"
	RouteProductionOrder       = "GET /merchant/production-orders/{order}"
	RouteOpenProductionOrder   = "POST /merchant/production-orders"
	RouteCancelProductionOrder = "POST /merchant/production-orders/{order}/cancellation"
)

// A Traffic is a kind of requests to the HTTP API. A stage limits each kind by itself, so that one
// kind does not use up what another needs.
type Traffic string

// The kinds of requests.
const (
	Browsing   Traffic = "browsing"   // the storefront, the products, and requests that match no other route
	Checkouts  Traffic = "checkouts"  // buyers
	Merchant   Traffic = "merchant"   // the merchant
	Deliveries Traffic = "deliveries" // the factory's callbacks
	Simulation Traffic = "simulation" // requests to a simulated factory
)

// Traffics returns all kinds of requests.
func Traffics() []Traffic { return []Traffic{Browsing, Checkouts, Merchant, Deliveries, Simulation} }

// TrafficOf returns the kind of the requests to a route.
func TrafficOf(route string) Traffic {
	switch {
	case route == RouteCheckout:
		return Checkouts
	case route == RouteGoodsReceipt:
		return Deliveries
	case route == RouteManufactures:
		return Simulation
	case slices.Contains(MerchantAPI.Routes, route):
		return Merchant
	default:
		return Browsing
	}
}

// A Network says where a function runs: outside the VPC or in it.
type Network int

const (
	// Internet is outside the VPC: the function reaches public endpoints only.
	Internet Network = iota
	// Private is in the private subnets of the VPC: the function reaches only the database and the
	// VPC's endpoints.
	Private
)

// An Access says who may call a function's routes.
type Access int

const (
	// Public routes have no authorizer: API Gateway forwards every request, and the handler
	// authorizes it where needed.
	Public Access = iota
	// Signed routes need AWS credentials that allow execute-api:Invoke on the route. API Gateway
	// refuses all other requests.
	Signed
)

// String returns "public" or "signed".
func (a Access) String() string { return [...]string{Public: "public", Signed: "signed"}[a] }

// A Function is one Lambda function.
type Function struct {
	// Name is the name of the function, and of its handler's folder in Folder.
	Name        string
	Description string

	// Environment is the zero value of the struct that the handler decodes. See [Variables].
	Environment any

	// What triggers the function, apart from direct invocations.
	Routes []string      // route keys of the HTTP API
	Access Access        // who may call these routes
	Queue  string        // a queue; the function handles its messages
	Topic  string        // the topic whose messages Queue gets; empty: none
	Filter Filter        // which of the topic's messages Queue gets; nil: all
	Every  time.Duration // a schedule, in whole minutes
	// Buffered, if it is not empty, sends the requests to Routes into Queue, and they do not invoke
	// the function. The client gets its answer as soon as the queue has the request. A message has
	// the request's body, and the parts of the request that Buffered names as attributes:
	// "path.order" becomes the attribute order.
	Buffered []string
	// Rotates is a secret; the function replaces its value when Secrets Manager asks for it.
	Rotates string

	Network Network

	// Timeout limits one invocation. MemoryMB is in MiB; Lambda gives CPU in proportion to it.
	Timeout  time.Duration
	MemoryMB int

	// Concurrency is how many instances may run at once. A stage may set another number. Lambda has
	// two settings for it: a function with a queue gets the maximum concurrency of its event source
	// (2 to 1000), all other functions get reserved concurrency.
	Concurrency int
	// BatchSize is the largest number of messages in one invocation, for a function with a queue.
	BatchSize int
}

// The limits of database connections in one instance of a function.
const (
	// DatabaseConnections is 1: an instance handles one request at a time, and a request needs one
	// connection at a time.
	DatabaseConnections = 1
	// SetupConnections is 2: one connection holds a lock, so that only one setup migrates at a
	// time, and the other connection migrates.
	SetupConnections = 2
)

// Connections returns how many database connections one instance of the function may hold.
func (f Function) Connections() int {
	switch {
	case !f.Uses("database"):
		return 0
	case f.Name == Setup.Name:
		return SetupConnections
	default:
		return DatabaseConnections
	}
}

// Instances returns how many instances of the function may run at once if its Concurrency is
// concurrency. A function with a queue and a schedule may have one more: the event source's maximum
// limits only the instances that handle messages, and the schedule may start another one.
func (f Function) Instances(concurrency int) int {
	if f.Queue != "" && f.Every > 0 {
		return concurrency + 1
	}
	return concurrency
}

// All returns all functions. A stage deploys all of them but Factory, which only some stages need.
func All() []Function {
	return []Function{
		SalesAPI, MerchantAPI, Stock, StockIncrease, Ads, Sweep, Factory, Setup,
	}
}

// SalesAPI serves the storefront and the shop's API.
var SalesAPI = Function{
	Name:        "sales-api",
	Description: "Serves the storefront and the shop's API, and orders products that run short",
	Environment: SalesAPIEnvironment{},
	Routes: []string{
		RouteStorefront, RouteOpenAPI, RouteProducts, RouteProduct, RouteDonut, RouteCheckout, RouteDefault, RouteSale,
		RouteJoinWaitlist, RouteWaitlist,
	},
	Network:     Private,
	Timeout:     10 * time.Second,
	MemoryMB:    256,
	Concurrency: 17,
}

// MerchantAPI serves the merchant: products, their policies, production orders, the ledger.
var MerchantAPI = Function{
	Name:        "merchant-api",
	Description: "Serves the merchant: products and their policies, stocktake, production orders, the stock ledger",
	Environment: MerchantAPIEnvironment{},
	Routes: []string{
		RouteMerchantProducts, RouteCreateProduct, RouteChangeProduct, RouteImport, RouteFactories,
		RouteAdjustStock, RouteUndoAdjustment, RouteLedger, RouteSales, RouteNotices,
		RouteProductionOrders, RouteProductionOrder, RouteOpenProductionOrder, RouteCancelProductionOrder,
	},
	Access:      Signed,
	Network:     Private,
	Timeout:     10 * time.Second,
	MemoryMB:    256,
	Concurrency: 2,
}

// Stock asks the factory to produce.
var Stock = Function{
	Name:        "stock",
	Description: "Asks the factory to produce the orders in stock_queue",
	Environment: StockEnvironment{},
	Queue:       StockQueue,
	Topic:       StockEmptyTopic,
	Network:     Internet, // the factory is on the Internet, and there is no NAT gateway
	Timeout:     10 * time.Second,
	MemoryMB:    128,
	Concurrency: 2,
	BatchSize:   10,
}

// StockIncrease books the factory's deliveries. The factory calls back once and never again, so the
// API puts each call into a queue before any code of ours can fail.
var StockIncrease = Function{
	Name:        "stock-increase",
	Description: "Books the factory's deliveries in deliveries_queue: a signed callback becomes stock",
	Environment: StockIncreaseEnvironment{},
	Routes:      []string{RouteGoodsReceipt},
	Buffered: []string{
		"path.order", "path.attempt", "querystring.quantity", "querystring.correlation", "querystring.signature",
	},
	Queue:       DeliveriesQueue,
	Network:     Private,
	Timeout:     7 * time.Second, // SQS hides a message that was not booked for six times as long
	MemoryMB:    128,
	Concurrency: 8,
	BatchSize:   10,
}

// Ads switches a product's advertisement off while it is sold out, and on when stock has arrived. A
// message in its queue says that a product is short. No message says that stock has arrived, so Ads
// looks for it every minute.
var Ads = Function{
	Name:        "ads",
	Description: "Switches a product's advertisement off while it is sold out, and on again when stock has arrived",
	Environment: AdsEnvironment{},
	Queue:       AdsQueue,
	Topic:       StockEmptyTopic,
	Every:       time.Minute,
	Network:     Private,
	Timeout:     10 * time.Second,
	MemoryMB:    128,
	Concurrency: 2,
	BatchSize:   10,
}

// Sweep publishes orders that no other function could publish, asks the factory again for overdue
// orders, sends notices and checks the ledger.
var Sweep = Function{
	Name: "sweep",
	Description: "Every minute: publishes the production orders whose message was not sent, asks again for overdue " +
		"orders, checks the ledger",
	Environment: SweepEnvironment{},
	Every:       time.Minute,
	Network:     Private,
	Timeout:     30 * time.Second,
	MemoryMB:    128,
	Concurrency: 1,
}

// Factory plays the legacy factory in a stage whose setting factoryUrl is "simulated". The factory
// is not a part of the shop, so Factory has its own route, queue and limits, and it knows nothing
// of the shop but the URL of its API. It has a route of the shop's API, and not an API or a
// function URL of its own: the route has the access log, the throttling and the checks of all
// routes.
var Factory = Function{
	Name:        "factory",
	Description: "Plays the legacy factory: accepts every request, and calls back once, 40 s later",
	Environment: FactoryEnvironment{},
	Routes:      []string{RouteManufactures},
	Queue:       FactoryQueue,
	Network:     Internet,         // like the factory, it calls the API's public address
	Timeout:     28 * time.Second, // it waits up to 25 s for the answer to a callback
	MemoryMB:    128,
	Concurrency: 2,
	BatchSize:   10,
}

// Setup prepares the database and the secrets. A deployment runs it if its code, the database or a
// secret is new. Setup also rotates the database password.
var Setup = Function{
	Name: "setup",
	Description: "In a deployment: migrates the schema, creates the functions' database user and the secrets. " +
		"Rotates the user's password",
	Environment: SetupEnvironment{},
	Rotates:     "database",
	Network:     Private,
	Timeout:     2 * time.Minute,
	MemoryMB:    256,
	Concurrency: 1,
}
