package cost

import (
	"time"

	"restock/infra/instance"
)

// Units of quantities. AWS's GB is 2^30 bytes.
const (
	gib     = 1 << 30
	million = 1_000_000
	// gbSecond is Lambda's unit of memory × time, in MiB-milliseconds.
	gbSecond = 1024 * 1000
	// hoursPerMonth is a twelfth of a year, like in https://calculator.aws.
	hoursPerMonth = 730
)

// A Basis says how reliable a price is.
type Basis string

const (
	// Quoted is a price that other people published on the table's date as AWS's price. It was not
	// read on AWS's own page.
	Quoted Basis = "quoted"
	// Recalled is a price from memory. No source confirms it for this region.
	Recalled Basis = "recalled"
)

// A Price is AWS's price of a quantity, without taxes, free tiers and volume discounts.
type Price struct {
	Name   string // "RDS gp3 storage"
	Amount Money
	Per    int64  // the quantity for Amount: hours, requests, bytes, MiB-milliseconds, …
	Unit   string // Per, in AWS's words: "GB-month"
	Source string // the AWS page that has the price
	Basis  Basis
	Note   string // may be empty
}

// of is the price of a quantity.
func (p Price) of(quantity int64) Money { return p.Amount.scale(quantity, p.Per) }

// InstancePrices are the prices of a class of database instance. Multi-AZ costs about twice as
// much.
type InstancePrices struct {
	SingleAZ, MultiAZ Price
}

// Prices are the prices in a region on a date.
type Prices struct {
	Region string
	Date   time.Time

	Engine    string                    // of the instances below
	Instances map[string]InstancePrices // by class
	// Storage is per GiB-month of gp3.
	StorageSingleAZ, StorageMultiAZ, Backup Price
	Proxy                                   Price // per vCPU of the instance behind it, two at least

	EndpointHour, EndpointData Price // interface endpoints, per zone
	Secret, SecretCall         Price
	Key, KeyCall               Price
	Alarm, FastAlarm           Price // per metric that an alarm watches; fast is a period below a minute
	CompositeAlarm, Dashboard  Price
	CustomMetric               Price
	LogIngestion, LogStorage   Price

	HTTPRequest            Price
	FunctionRequest        Price
	ComputeARM, ComputeX86 Price
	Publish, QueueRequest  Price
	DataOut                Price // to the Internet
	CDNRequest, CDNDataOut Price // of CloudFront
	Trace                  Price // recorded by X-Ray
}

// The pages that have the prices.
const (
	rdsPage         = "https://aws.amazon.com/rds/mariadb/pricing/"
	privateLinkPage = "https://aws.amazon.com/privatelink/pricing/"
	// #nosec G101 -- the page has no secrets
	secretsManagerPage = "https://aws.amazon.com/secrets-manager/pricing/"
	kmsPage            = "https://aws.amazon.com/kms/pricing/"
	cloudWatchPage     = "https://aws.amazon.com/cloudwatch/pricing/"
	apiGatewayPage     = "https://aws.amazon.com/api-gateway/pricing/"
	lambdaPage         = "https://aws.amazon.com/lambda/pricing/"
	snsPage            = "https://aws.amazon.com/sns/pricing/"
	sqsPage            = "https://aws.amazon.com/sqs/pricing/"
	cloudFrontPage     = "https://aws.amazon.com/cloudfront/pricing/"
	xrayPage           = "https://aws.amazon.com/xray/pricing/"
	dataTransferPage   = "https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer"
)

const likeMySQL = "quoted for MySQL or PostgreSQL; MariaDB is taken to cost the same"

// Seoul returns the prices in ap-northeast-2. If you change a price, update its Basis and Note, and
// Date.
func Seoul() Prices {
	return Prices{
		Region: "ap-northeast-2",
		Date:   time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC),

		Engine:          "mariadb",
		Instances:       instancePrices(),
		StorageSingleAZ: Price{"RDS gp3 storage", 131_000, 1, "GB-month", rdsPage, Quoted, likeMySQL},
		StorageMultiAZ:  Price{"RDS gp3 storage Multi-AZ", 262_000, 1, "GB-month", rdsPage, Quoted, likeMySQL},
		Backup: Price{"RDS backup storage", 95_000, 1, "GB-month", rdsPage, Quoted,
			"beyond the size of the database's storage, which is free"},

		Proxy: Price{"RDS Proxy", 18_000, 1, "vCPU-hour", "https://aws.amazon.com/rds/proxy/pricing/", Recalled,
			"two vCPUs at least"},

		EndpointHour: Price{"interface endpoint", 13_000, 1, "endpoint-zone-hour", privateLinkPage, Quoted, ""},
		EndpointData: Price{"interface endpoint data", 10_000, gib, "GB", privateLinkPage, Quoted, "up to 1 PB"},
		Secret:       Price{"secret", 400_000, 1, "secret-month", secretsManagerPage, Quoted, ""},
		SecretCall:   Price{"Secrets Manager calls", 50_000, 10_000, "10,000 calls", secretsManagerPage, Quoted, ""},
		Key: Price{"KMS key", 1_000_000, 1, "key-month", kmsPage, Quoted,
			"the first and the second rotation each add as much"},
		KeyCall:        Price{"KMS requests", 30_000, 10_000, "10,000 requests", kmsPage, Quoted, ""},
		Alarm:          Price{"alarm", 100_000, 1, "alarm-metric-month", cloudWatchPage, Quoted, ""},
		FastAlarm:      Price{"high-resolution alarm", 300_000, 1, "alarm-metric-month", cloudWatchPage, Recalled, ""},
		CompositeAlarm: Price{"composite alarm", 500_000, 1, "alarm-month", cloudWatchPage, Quoted, ""},
		Dashboard: Price{"dashboard", 3_000_000, 1, "dashboard-month", cloudWatchPage, Recalled,
			"the same in all regions"},
		CustomMetric: Price{"custom metric", 300_000, 1, "metric-month", cloudWatchPage, Quoted,
			"of the first 10,000"},
		LogIngestion: Price{"log ingestion", 760_000, gib, "GB", cloudWatchPage, Quoted, "log class Standard"},
		LogStorage:   Price{"log storage", 31_400, gib, "GB-month", cloudWatchPage, Quoted, "of the compressed size"},

		HTTPRequest: Price{"HTTP API requests", 1_230_000, million, "million requests", apiGatewayPage, Recalled,
			"of the first 300 million; one request is up to 512 KB"},
		FunctionRequest: Price{"Lambda requests", 200_000, million, "million requests", lambdaPage, Quoted, ""},
		ComputeARM: Price{"Lambda compute, arm64", 13_333_400, million * gbSecond, "million GB-seconds",
			lambdaPage, Quoted, ""},
		ComputeX86: Price{"Lambda compute, x86_64", 16_666_700, million * gbSecond, "million GB-seconds",
			lambdaPage, Quoted, ""},
		Publish: Price{"SNS requests", 500_000, million, "million requests", snsPage, Recalled,
			"a delivery to SQS is free; one request is up to 64 KB"},
		QueueRequest: Price{"SQS requests", 400_000, million, "million requests", sqsPage, Recalled,
			"standard queues; one request is up to 64 KB"},
		DataOut: Price{"data to the Internet", 126_000, gib, "GB", dataTransferPage, Quoted,
			"of the first 10 TB"},
		CDNRequest: Price{"CloudFront requests", 12_000, 10_000, "10,000 HTTPS requests", cloudFrontPage, Recalled,
			"answered in South Korea"},
		CDNDataOut: Price{"CloudFront data to the Internet", 120_000, gib, "GB", cloudFrontPage, Recalled,
			"of the first 10 TB, sent from South Korea; what the API sends to CloudFront is free"},
		Trace: Price{"X-Ray traces", 5_000_000, million, "million traces recorded", xrayPage, Recalled,
			"to read a million of them costs a tenth as much"},
	}
}

// instancePrices returns the prices of the classes with a known price.
func instancePrices() map[string]InstancePrices {
	prices := map[string]InstancePrices{}
	price := func(name string, p instance.Price, recalled string) Price {
		basis, note := Recalled, recalled
		if p.Quoted {
			basis, note = Quoted, likeMySQL
		}
		return Price{"RDS " + name, Money(p.MicroDollars), 1, "instance-hour", rdsPage, basis, note}
	}
	for name, class := range instance.Classes {
		if class.SingleAZ.MicroDollars > 0 {
			multiAZ := price(name+" Multi-AZ", class.MultiAZ, "twice Single-AZ")
			prices[name] = InstancePrices{price(name, class.SingleAZ, ""), multiAZ}
		}
	}
	return prices
}

// All returns all prices of the table.
func (p Prices) All() []Price {
	prices := []Price{
		p.StorageSingleAZ, p.StorageMultiAZ, p.Backup, p.Proxy, p.EndpointHour, p.EndpointData, p.Secret, p.SecretCall,
		p.Key, p.KeyCall,
		p.Alarm, p.FastAlarm, p.CompositeAlarm, p.Dashboard, p.CustomMetric, p.LogIngestion, p.LogStorage,
		p.HTTPRequest, p.FunctionRequest, p.ComputeARM, p.ComputeX86, p.Publish, p.QueueRequest, p.DataOut,
		p.CDNRequest, p.CDNDataOut, p.Trace,
	}
	for _, class := range p.Instances {
		prices = append(prices, class.SingleAZ, class.MultiAZ)
	}
	return prices
}
