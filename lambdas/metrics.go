package lambdas

// The metrics that functions publish to CloudWatch. Each is a count in the namespace of the stage.
const (
	MetricSales                     = "Sales"
	MetricUnitsSold                 = "UnitsSold"
	MetricRefusals                  = "Refusals"     // buyers who were refused because the stock was too low
	MetricBuyersWaited              = "BuyersWaited" // for each other; once a minute for each product at most
	MetricProductionOrdersOpened    = "ProductionOrdersOpened"
	MetricProductionRequests        = "ProductionRequests"        // requests that the factory accepted
	MetricProductionRequestsFailed  = "ProductionRequestsFailed"  // messages that did not become a request
	MetricProductionRequestsExpired = "ProductionRequestsExpired" // messages that had expired
	MetricDeliveriesFailed          = "DeliveriesFailed"          // not booked: they stay in the queue
	MetricDeliveriesForged          = "DeliveriesForged"          // not signed by the shop: they are dropped
	MetricUnitsReceived             = "UnitsReceived"
	MetricSurplusUnits              = "SurplusUnits" // received beyond the ordered quantity

	MetricProductionOrdersAskedAgain = "ProductionOrdersAskedAgain" // overdue; the factory was asked again
	MetricProductionOrdersShort      = "ProductionOrdersShort"      // closed with less than was ordered
	MetricProductionOrdersFailed     = "ProductionOrdersFailed"     // closed with nothing received

	// A sweep publishes these every minute.
	MetricProductionOrdersOverdue = "ProductionOrdersOverdue"
	MetricLedgerDifference        = "LedgerDifference" // between ledger and stock
	MetricStock                   = "Stock"            // by DimensionProduct
)

// DimensionProduct is the dimension of metrics that exist for each product. Its value is the SKU.
const DimensionProduct = "Product"
