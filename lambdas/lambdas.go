// Package lambdas says once what every function is: what triggers it, the routes it serves, the
// environment it reads, what it may do, and its limits.
//
// The infrastructure makes functions, routes, roles and event sources from it; the handlers decode the
// same environment structs and serve the same routes. It knows neither Pulumi nor the AWS SDK.
package lambdas

import "time"

// Folder holds the functions' handlers, each in a folder of the function's name, below the module's root.
const Folder = "lambdas"

// Names of the things that functions share.
const (
	StockEmptyTopic = "stock_empty"      // SNS topic: a product needs to be made
	OperationsTopic = "stock_operations" // SNS topic: something wants people
	StockQueue      = "stock_queue"      // SQS queue: buffers stock_empty for the function stock
	AdsQueue        = "ads_queue"        // SQS queue: buffers stock_empty for the function ads
)

// DeadLetterQueue returns the name of the queue that keeps the messages that a queue's function could not handle.
func DeadLetterQueue(queue string) string { return queue + "_dlq" }

// The routes of the HTTP API, in the form of API Gateway's route keys, which is also net/http's.
const (
	RouteStorefront   = "GET /"
	RouteProducts     = "GET /products"
	RouteProduct      = "GET /products/{sku}"
	RouteDonut        = "GET /product/donut" // as its existing clients know it
	RouteCheckout     = "POST /checkout"
	RouteDefault      = "$default" // whatever no other route matches
	RouteGoodsReceipt = "POST /production-orders/{order}/attempts/{attempt}/receipt"
)

// The merchant's routes of the HTTP API.
const (
	RouteMerchantProducts      = "GET /merchant/products"
	RouteCreateProduct         = "POST /merchant/products"
	RouteChangeProduct         = "PATCH /merchant/products/{sku}"
	RouteAdjustStock           = "POST /merchant/products/{sku}/adjustments"
	RouteLedger                = "GET /merchant/products/{sku}/ledger"
	RouteProductionOrders      = "GET /merchant/production-orders"
	RouteProductionOrder       = "GET /merchant/production-orders/{order}"
	RouteOpenProductionOrder   = "POST /merchant/production-orders"
	RouteCancelProductionOrder = "POST /merchant/production-orders/{order}/cancellation"
)

// A Network is where a function runs.
type Network int

const (
	// Internet is outside the VPC: the function reaches public endpoints and nothing private.
	Internet Network = iota
	// Private is in the VPC's private subnets: the function reaches the database and the VPC's endpoints only.
	Private
)

// An Access is who may call a function's routes.
type Access int

const (
	// Public routes answer everybody: what they must not do for everybody the function itself refuses.
	Public Access = iota
	// Signed routes answer those who sign with AWS credentials that allow execute-api:Invoke on the route. API Gateway refuses all
	// others; the function never hears of them.
	Signed
)

func (a Access) String() string { return [...]string{Public: "public", Signed: "signed"}[a] }

// A Function is one Lambda function.
type Function struct {
	// Name is the folder below lambdas/ that holds the handler, and the function's name.
	Name        string
	Description string

	// Environment is the zero value of the struct that the handler decodes. See [Variables].
	Environment any

	// What triggers the function, beside a direct invocation.
	Routes []string      // route keys of the HTTP API
	Access Access        // to all of the routes
	Queue  string        // a queue whose messages it handles
	Every  time.Duration // a schedule, in whole minutes
	// Rotates is a secret whose value it replaces when Secrets Manager says so.
	Rotates string

	Network Network

	// Timeout bounds one invocation, MemoryMB is in MiB (and buys CPU in proportion).
	Timeout  time.Duration
	MemoryMB int

	// Concurrency is how many instances may run at once, where a stage says nothing else.
	// For a function with a queue it bounds the event source (2 to 1000), else it is reserved concurrency.
	Concurrency int
	// BatchSize is how many messages one invocation gets at most, for a function with a queue.
	BatchSize int
}

// How many connections to the database one instance may hold.
const (
	// DatabaseConnections: an instance handles one request at a time, and a request never needs two.
	DatabaseConnections = 1
	// SetupConnections: one holds the migrations' lock, one migrates.
	SetupConnections = 2
)

// Connections is how many connections to the database one instance of the function may hold.
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

// Instances is how many instances of the function may run at once, where a stage bounds its concurrency. An event source that is bounded
// leaves a schedule free to start one more.
func (f Function) Instances(concurrency int) int {
	if f.Queue != "" && f.Every > 0 {
		return concurrency + 1
	}
	return concurrency
}

// All lists the functions.
func All() []Function {
	return []Function{SalesAPI, MerchantAPI, Stock, StockIncrease, Ads, Sweep, Setup}
}

// SalesAPI sells: it serves the storefront and the shop's API.
var SalesAPI = Function{
	Name:        "sales-api",
	Description: "Serves the storefront and the shop's API, and asks for more when stock runs short",
	Environment: SalesAPIEnvironment{},
	Routes:      []string{RouteStorefront, RouteProducts, RouteProduct, RouteDonut, RouteCheckout, RouteDefault},
	Network:     Private,
	Timeout:     10 * time.Second,
	MemoryMB:    256,
	Concurrency: 21,
}

// MerchantAPI is the shop as its merchant sees it: products, their policies, production orders, the ledger.
var MerchantAPI = Function{
	Name:        "merchant-api",
	Description: "Serves the merchant: products and their policies, stocktake, production orders, the stock ledger",
	Environment: MerchantAPIEnvironment{},
	Routes: []string{
		RouteMerchantProducts, RouteCreateProduct, RouteChangeProduct, RouteAdjustStock, RouteLedger,
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
	Description: "Asks the factory to produce what stock_queue says is needed",
	Environment: StockEnvironment{},
	Queue:       StockQueue,
	Network:     Internet, // the factory is on the Internet, and there is no NAT gateway
	Timeout:     10 * time.Second,
	MemoryMB:    128,
	Concurrency: 2,
	BatchSize:   10,
}

// StockIncrease books what the factory has made.
var StockIncrease = Function{
	Name:        "stock-increase",
	Description: "Books the factory's deliveries: the signed callback becomes stock",
	Environment: StockIncreaseEnvironment{},
	Routes:      []string{RouteGoodsReceipt},
	Network:     Private,
	Timeout:     25 * time.Second, // it tries again for as long as the HTTP API waits, 30 s: the factory calls once
	MemoryMB:    128,
	Concurrency: 8,
}

// Ads switches advertisements with the stock. It hears that stock is empty from the same topic as stock, and finds by itself that some has come.
var Ads = Function{
	Name:        "ads",
	Description: "Switches a product's advertisement off while it is sold out, and on again when stock has arrived",
	Environment: AdsEnvironment{},
	Queue:       AdsQueue,
	Every:       time.Minute,
	Network:     Private,
	Timeout:     10 * time.Second,
	MemoryMB:    128,
	Concurrency: 2,
	BatchSize:   10,
}

// Sweep sends what was left unsent, and looks whether all is well.
var Sweep = Function{
	Name:        "sweep",
	Description: "Every minute: publishes the production orders whose message was not sent, looks for overdue ones, checks the ledger",
	Environment: SweepEnvironment{},
	Every:       time.Minute,
	Network:     Private,
	Timeout:     30 * time.Second,
	MemoryMB:    128,
	Concurrency: 1,
}

// Setup prepares the database and the secrets, in a deployment in which it, or one of them, is new, and rotates the functions' password.
var Setup = Function{
	Name:        "setup",
	Description: "In a deployment: migrates the schema, makes the functions' database user and the secrets. Rotates the user's password",
	Environment: SetupEnvironment{},
	Rotates:     "database",
	Network:     Private,
	Timeout:     2 * time.Minute,
	MemoryMB:    256,
	Concurrency: 1,
}
