package lambdas

// The numbers that functions measure, as metrics of CloudWatch. They are counts, in the stage's namespace.
const (
	MetricSales                     = "Sales"
	MetricUnitsSold                 = "UnitsSold"
	MetricRefusals                  = "Refusals" // of buyers, for want of stock
	MetricProductionOrdersOpened    = "ProductionOrdersOpened"
	MetricProductionRequests        = "ProductionRequests"        // that the factory took
	MetricProductionRequestsFailed  = "ProductionRequestsFailed"  // that it did not
	MetricProductionRequestsExpired = "ProductionRequestsExpired" // messages that were too old to ask with
	MetricUnitsReceived             = "UnitsReceived"
	MetricSurplusUnits              = "SurplusUnits" // received beyond what was ordered

	MetricProductionOrdersAskedAgain = "ProductionOrdersAskedAgain" // overdue: the factory is asked once more
	MetricProductionOrdersShort      = "ProductionOrdersShort"      // closed with less than was ordered
	MetricProductionOrdersFailed     = "ProductionOrdersFailed"     // given up with nothing received

	// What a sweep finds, every minute.
	MetricProductionOrdersOverdue = "ProductionOrdersOverdue"
	MetricLedgerDifference        = "LedgerDifference" // between the books and the stock
	MetricStock                   = "Stock"            // by DimensionProduct
)

// DimensionProduct is the dimension of what is measured for each product: its SKU.
const DimensionProduct = "Product"
