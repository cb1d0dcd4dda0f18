package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/instance"
	"restock/infra/settings"
	"restock/lambdas"
)

// Settings are all that differs between stages: the value of restock:settings in Pulumi.<stage>.yaml. What a stage
// leaves out is cheap.
type Settings struct {
	// Zones are two availability zones or more. They are named, not asked for: a zone that AWS adds would move the subnets.
	Zones []string `json:"zones"`
	// EndpointZones are those of the zones in which AWS's services can be reached, for functions in all of them. Each costs what a small
	// server does; while none of them works, functions of the other zones reach nothing. Left out: the first zone alone.
	EndpointZones []string `json:"endpointZones"`
	// FactoryURL is where the legacy factory listens, without a path.
	FactoryURL string `json:"factoryUrl"`
	// FactoryLeadTimeSeconds is how long the factory takes from a request to its callback, for products whose policy says no other. What takes
	// twice as long is overdue.
	FactoryLeadTimeSeconds int `json:"factoryLeadTimeSeconds"`

	// Protect keeps what holds data from being deleted: the database, by Pulumi and by AWS, with a last snapshot if it is
	// nevertheless; the queues and the secrets, by Pulumi.
	Protect bool `json:"protect"`

	// AlarmEmail is told of alarms. Empty: nobody is.
	AlarmEmail string `json:"alarmEmail"`

	// PermissionsBoundary is the ARN of the policy beyond which no function's role goes; empty is none. Deployments by workflow
	// need it: see bootstrap.
	PermissionsBoundary string `json:"permissionsBoundary"`

	LogRetentionDays int `json:"logRetentionDays"`
	// SecretRecoveryDays is how long a deleted secret can be had back: 0 (not at all), or 7 to 30.
	SecretRecoveryDays int              `json:"secretRecoveryDays"`
	Database           DatabaseSettings `json:"database"`
	// Concurrency is how many instances of a function run at most, by the function's name.
	Concurrency map[string]int     `json:"concurrency"`
	Throttling  ThrottlingSettings `json:"throttling"`

	// CORSOrigins are the sites whose pages may call the API from a browser, like https://www.example.com, or "*". The storefront needs none.
	CORSOrigins []string `json:"corsOrigins"`
	// Domain is the API's own name, where it has one. The factory's callback goes to the name that AWS gives, and waits for no DNS of ours.
	Domain *DomainSettings `json:"domain"`
}

// DomainSettings name the API.
type DomainSettings struct {
	Name string `json:"name"`
	// CertificateARN is that of the name's certificate in Certificate Manager, in the stage's region.
	CertificateARN string `json:"certificateArn"`
}

// DatabaseSettings size and protect the database.
type DatabaseSettings struct {
	InstanceClass string `json:"instanceClass"`
	StorageGiB    int    `json:"storageGiB"`
	// MaxStorageGiB is how far the storage grows by itself. 0: it does not.
	MaxStorageGiB       int  `json:"maxStorageGiB"`
	MultiAZ             bool `json:"multiAz"`
	BackupRetentionDays int  `json:"backupRetentionDays"`
	// MaxConnections is the server's limit, and what the functions together stay below. Left out: what the instance class has memory for.
	MaxConnections int `json:"maxConnections"`
	// Proxy puts RDS Proxy between the functions and the database: they may then be more than its connections.
	Proxy bool `json:"proxy"`
}

// ThrottlingSettings bound the API's requests.
type ThrottlingSettings struct {
	RatePerSecond float64 `json:"ratePerSecond"`
	Burst         int     `json:"burst"`
}

// DefaultSettings are what a stage leaves out.
func DefaultSettings() Settings {
	s := Settings{
		FactoryLeadTimeSeconds: 60,
		LogRetentionDays:       7,
		Database: DatabaseSettings{
			InstanceClass:       "db.t4g.micro",
			StorageGiB:          20,
			BackupRetentionDays: 1,
		},
		Concurrency: map[string]int{},
		Throttling:  ThrottlingSettings{RatePerSecond: 1000, Burst: 1000},
	}
	for _, f := range lambdas.All() {
		s.Concurrency[f.Name] = f.Concurrency
	}
	return s
}

const (
	// versionsAtOnce: while an update rolls out, idle instances of the old version keep their connections, and the new
	// version's open theirs.
	versionsAtOnce = 2
	// reservedConnections are those that no function takes: for RDS itself, and for a person who looks into a full database.
	reservedConnections = 10
)

// loadSettings reads and checks a stage's settings. Its errors name the key, the value and what is allowed.
func loadSettings(ctx *pulumi.Context) (Settings, error) {
	s := DefaultSettings()
	err := settings.Load(ctx, &s, "zones and factoryUrl are needed", func(region string) error {
		s.complete()
		return s.validate(region)
	})
	return s, err
}

// complete fills in what depends on other settings.
func (s *Settings) complete() {
	if s.EndpointZones == nil && len(s.Zones) > 0 {
		s.EndpointZones = s.Zones[:1]
	}
	if s.Database.MaxConnections == 0 {
		s.Database.MaxConnections = instance.Classes[s.Database.InstanceClass].Connections()
	}
}
