package stack

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/instance"
	"restock/infra/settings"
	"restock/lambdas"
)

// Settings hold all differences between stages: the value of settings in
// Pulumi.<stage>.yaml. Defaults has cheap defaults for the keys that a stage leaves out.
type Settings struct {
	// Zones are the availability zones of the subnets, two or more. The program does not ask AWS
	// for them: subnets would move when AWS adds a zone.
	Zones []string `json:"zones"`
	// EndpointZones are the zones that have endpoints of AWS's services; functions in all zones use
	// them. An endpoint costs as much as a small server. If all these zones fail, functions in the
	// other zones reach no service. The default is the first zone.
	EndpointZones []string `json:"endpointZones"`
	// FactoryURL is the URL of the legacy factory, without a path. The default is
	// SimulatedFactory.
	FactoryURL string `json:"factoryUrl"`
	// FactoryLeadTimeSeconds is the time from a request to the factory until its callback. A
	// product's policy may set another. A production order is overdue after twice this time.
	FactoryLeadTimeSeconds int `json:"factoryLeadTimeSeconds"`

	// Catalogue is the name of one of lambdas.Catalogues: the factories and the products that a new
	// database gets. The default has no products.
	Catalogue string `json:"catalogue"`

	// Protect protects data from deletion. Pulumi deletes neither the database, the queues nor the
	// secrets, and AWS refuses to delete the database. Whether the database's data survives its
	// deletion is another setting, Database.KeepBackups: Protect is false when a protected stage is
	// deleted.
	Protect bool `json:"protect"`

	// AlarmEmail gets the notifications of alarms. Empty: nobody gets them.
	AlarmEmail string `json:"alarmEmail"`

	// PermissionsBoundary is the ARN of an IAM policy that limits every role of the stack. Empty:
	// the roles have no boundary. The workflow that deploys needs it, see the folder bootstrap.
	PermissionsBoundary string `json:"permissionsBoundary"`

	// LogRetentionDays is how long CloudWatch keeps logs: one of the numbers that it accepts.
	LogRetentionDays int `json:"logRetentionDays"`
	// SecretRecoveryDays is how long a deleted secret can be restored: 0 (not at all), or 7 to 30.
	SecretRecoveryDays int              `json:"secretRecoveryDays"`
	Database           DatabaseSettings `json:"database"`
	Concurrency        Concurrency      `json:"concurrency"`

	Throttling ThrottlingSettings `json:"throttling"`

	// Tracing records traces in AWS X-Ray: of invocations, and of what the functions do in them.
	Tracing bool `json:"tracing"`

	// CORSOrigins are the sites whose pages may call the API from a browser, like
	// https://www.example.com, or "*". The storefront needs none: the API serves it.
	CORSOrigins []string `json:"corsOrigins"`
	// Domain gives the API a name of its own. The factory still calls back the name that AWS gives,
	// so deliveries do not depend on the DNS record.
	Domain *DomainSettings `json:"domain"`
	// CDN puts CloudFront before the API: it answers most requests of open storefront pages. With
	// it, domain names the distribution in place of the API.
	CDN bool `json:"cdn"`
}

// SimulatedFactory is the FactoryURL of a stage that deploys a function which plays the factory.
const SimulatedFactory = "simulated"

// functions returns the functions that the stage deploys.
func (s Settings) functions() []lambdas.Function {
	return slices.DeleteFunc(lambdas.All(), func(f lambdas.Function) bool {
		return f.Name == lambdas.Factory.Name && s.FactoryURL != SimulatedFactory
	})
}

// DomainSettings name the API.
type DomainSettings struct {
	Name string `json:"name"`
	// CertificateARN is the ARN of the name's certificate in Certificate Manager, in the stage's
	// region; with the setting cdn in us-east-1.
	CertificateARN string `json:"certificateArn"`
}

// DatabaseSettings size and protect the database.
type DatabaseSettings struct {
	// InstanceClass is one of instance.Classes.
	InstanceClass string `json:"instanceClass"`
	StorageGiB    int    `json:"storageGiB"`
	// MaxStorageGiB is the size up to which RDS grows a full disk. 0: the disk does not grow.
	MaxStorageGiB int `json:"maxStorageGiB"`
	// MultiAZ adds a standby in another zone.
	MultiAZ             bool `json:"multiAz"`
	BackupRetentionDays int  `json:"backupRetentionDays"`
	// KeepBackups keeps the data of a deleted database: RDS takes a last snapshot, and keeps the
	// automated backups for BackupRetentionDays. A protected stage needs it.
	KeepBackups bool `json:"keepBackups"`
	// MaxConnections is the server's limit; the functions together must stay below it. The default
	// is the number that the instance class has memory for.
	MaxConnections int `json:"maxConnections"`
	// Proxy puts RDS Proxy between the functions and the database: many instances then share few
	// connections.
	Proxy bool `json:"proxy"`
}

// ThrottlingSettings limit the requests to the API, for each kind of traffic by itself. All routes
// of browsing share one limit. Each route of another kind has its own.
type ThrottlingSettings struct {
	Browsing   Limits `json:"browsing"`
	Checkouts  Limits `json:"checkouts"`
	Merchant   Limits `json:"merchant"`
	Deliveries Limits `json:"deliveries"`
	Simulation Limits `json:"simulation"`
}

// Limits are the number of requests a second, and the number that may come at once.
type Limits struct {
	RatePerSecond float64 `json:"ratePerSecond"`
	Burst         int     `json:"burst"`
}

func (t ThrottlingSettings) limits() map[lambdas.Traffic]Limits {
	return map[lambdas.Traffic]Limits{
		lambdas.Browsing: t.Browsing, lambdas.Checkouts: t.Checkouts, lambdas.Merchant: t.Merchant,
		lambdas.Deliveries: t.Deliveries, lambdas.Simulation: t.Simulation,
	}
}

// Concurrency is the largest number of instances of a function, by the function's name.
//
// The word "unreserved" in its place is for small accounts: Lambda lets an account reserve only the
// part of its quota above 100, and the quota of a new account may be 10. Then the map has only the
// functions with a queue, because their event sources limit them without a reservation. The other
// functions share the account's quota. Nothing bounds the sum of their connections, so RDS Proxy or
// database.maxConnections protects the database.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
type Concurrency map[string]int

// Word is the word in place of the numbers.
func (Concurrency) Word() string { return "unreserved" }

// UnmarshalJSON reads the word, or the numbers of some functions.
func (c *Concurrency) UnmarshalJSON(text []byte) error {
	if string(text) != strconv.Quote(c.Word()) {
		return json.Unmarshal(text, (*map[string]int)(c))
	}
	for _, f := range lambdas.All() {
		if f.Queue == "" {
			delete(*c, f.Name)
		}
	}
	return nil
}

// unreserved reports whether functions share the account's quota.
func (c Concurrency) unreserved() bool {
	return slices.ContainsFunc(lambdas.All(), func(f lambdas.Function) bool { return c[f.Name] == 0 })
}

// instances returns the number of instances to keep connections for. An unreserved function needs
// one at least.
func (c Concurrency) instances(f lambdas.Function) int { return f.Instances(max(1, c[f.Name])) }

// Defaults returns the values of the keys that a stage leaves out.
func Defaults() Settings {
	s := Settings{
		FactoryURL:             SimulatedFactory,
		FactoryLeadTimeSeconds: 60,
		Catalogue:              lambdas.EmptyCatalogue,
		LogRetentionDays:       7,
		Database: DatabaseSettings{
			InstanceClass:       "db.t4g.micro",
			StorageGiB:          20,
			BackupRetentionDays: 1,
		},
		Concurrency: Concurrency{},
		Throttling: ThrottlingSettings{
			Browsing:  Limits{RatePerSecond: 1000, Burst: 1000},
			Checkouts: Limits{RatePerSecond: 1000, Burst: 1000},
			Merchant:  Limits{RatePerSecond: 50, Burst: 100},
			// The factory calls once. A flood of forged calls must not reach this limit.
			Deliveries: Limits{RatePerSecond: 2500, Burst: 2500},
			// Every request of a stranger costs an invocation. The shop's function stock sends at
			// most 20 requests at once.
			Simulation: Limits{RatePerSecond: 10, Burst: 20},
		},
	}
	for _, f := range lambdas.All() {
		s.Concurrency[f.Name] = f.Concurrency
	}
	return s
}

const (
	// versionsAtOnce is 2 because idle instances of the old version keep their connections while an
	// update rolls out, and instances of the new version open theirs.
	versionsAtOnce = 2
	// reservedConnections stay free for RDS itself, and for a person who examines a database whose
	// other connections are all in use.
	reservedConnections = 10
)

// loadSettings reads and checks a stage's settings. Its errors name the key, the value and the
// allowed values.
func loadSettings(ctx *pulumi.Context) (Settings, error) {
	s := Defaults()
	err := settings.Load(ctx, &s, "zones are required", func(region string) error {
		s.complete()
		return s.validate(region)
	})
	return s, err
}

// complete fills in the defaults that depend on other settings.
func (s *Settings) complete() {
	if s.EndpointZones == nil && len(s.Zones) > 0 {
		s.EndpointZones = s.Zones[:1]
	}
	if s.Database.MaxConnections == 0 {
		s.Database.MaxConnections = instance.Classes[s.Database.InstanceClass].Connections()
	}
}
