package stack

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/settings"
	"restock/lambdas"
)

// Settings are all that differs between stages: the value of restock:settings in Pulumi.<stage>.yaml. What a stage
// leaves out is cheap.
type Settings struct {
	// Zones are two availability zones or more. They are named, not asked for: a zone that AWS adds would move the subnets.
	Zones []string `json:"zones"`
	// FactoryURL is where the legacy factory listens, without a path.
	FactoryURL string `json:"factoryUrl"`

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
}

// DatabaseSettings size and protect the database.
type DatabaseSettings struct {
	InstanceClass       string `json:"instanceClass"`
	StorageGiB          int    `json:"storageGiB"`
	MultiAZ             bool   `json:"multiAz"`
	BackupRetentionDays int    `json:"backupRetentionDays"`
	// MaxConnections is the server's limit. The functions together stay below it.
	MaxConnections int `json:"maxConnections"`
}

// ThrottlingSettings bound the API's requests.
type ThrottlingSettings struct {
	RatePerSecond float64 `json:"ratePerSecond"`
	Burst         int     `json:"burst"`
}

// DefaultSettings are what a stage leaves out.
func DefaultSettings() Settings {
	s := Settings{
		LogRetentionDays: 7,
		Database: DatabaseSettings{
			InstanceClass:       "db.t4g.micro",
			StorageGiB:          20,
			BackupRetentionDays: 1,
			MaxConnections:      200,
		},
		Concurrency: map[string]int{},
		Throttling:  ThrottlingSettings{RatePerSecond: 200, Burst: 200},
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
	// A method value would check the defaults: it binds what s is now.
	err := settings.Load(ctx, &s, "zones and factoryUrl are needed", func(region string) error { return s.validate(region) })
	return s, err
}

// logRetentions are the days that CloudWatch Logs takes:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var logRetentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (s Settings) validate(region string) error {
	var errs []error
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s is %v: %s", key, value, allowed))
		}
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(s.Zones)))
	elsewhere := slices.ContainsFunc(s.Zones, func(zone string) bool { return !strings.HasPrefix(zone, region) })
	check(len(s.Zones) >= 2 && len(distinct) == len(s.Zones) && !elsewhere, "zones", s.Zones, "two different availability zones of "+region+", or more")
	u, err := url.Parse(s.FactoryURL)
	check(err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment == "",
		"factoryUrl", fmt.Sprintf("%q", s.FactoryURL), "a URL of a host alone, like https://factory.example.com")
	if s.AlarmEmail != "" {
		_, err = mail.ParseAddress(s.AlarmEmail)
		check(err == nil, "alarmEmail", fmt.Sprintf("%q", s.AlarmEmail), "an email address")
	}
	check(s.PermissionsBoundary == "" || strings.HasPrefix(s.PermissionsBoundary, "arn:aws:iam::"),
		"permissionsBoundary", fmt.Sprintf("%q", s.PermissionsBoundary), "the ARN of a policy of IAM, or nothing")
	check(slices.Contains(logRetentions, s.LogRetentionDays), "logRetentionDays", s.LogRetentionDays, fmt.Sprintf("one of %v", logRetentions))
	check(s.SecretRecoveryDays == 0 || s.SecretRecoveryDays >= 7 && s.SecretRecoveryDays <= 30, "secretRecoveryDays", s.SecretRecoveryDays, "0, or 7 to 30")
	check(strings.HasPrefix(s.Database.InstanceClass, "db."), "database.instanceClass", fmt.Sprintf("%q", s.Database.InstanceClass), "a class of RDS, like db.t4g.micro")
	check(s.Database.StorageGiB >= 20 && s.Database.StorageGiB <= 65536, "database.storageGiB", s.Database.StorageGiB, "20 to 65536, as gp3 has it")
	check(s.Database.BackupRetentionDays >= 0 && s.Database.BackupRetentionDays <= 35, "database.backupRetentionDays", s.Database.BackupRetentionDays, "0 to 35")
	check(s.Throttling.RatePerSecond >= 1, "throttling.ratePerSecond", s.Throttling.RatePerSecond, "1 or more")
	check(s.Throttling.Burst >= 1, "throttling.burst", s.Throttling.Burst, "1 or more")
	least := versionsAtOnce*s.connections() + reservedConnections
	check(s.Database.MaxConnections >= least, "database.maxConnections", s.Database.MaxConnections,
		fmt.Sprintf("%d or more: the functions' concurrency takes %d, twice while an update rolls out, and %d are kept free", least, s.connections(), reservedConnections))
	names := map[string]lambdas.Function{}
	for _, f := range lambdas.All() {
		names[f.Name] = f
	}
	for _, name := range slices.Sorted(maps.Keys(s.Concurrency)) {
		f, known := names[name]
		check(known, "concurrency."+name, s.Concurrency[name], fmt.Sprintf("the functions are %v", slices.Sorted(maps.Keys(names))))
		if known {
			least := 1
			if f.Queue != "" {
				least = 2 // of an event source mapping
			}
			check(s.Concurrency[name] >= least && s.Concurrency[name] <= 1000, "concurrency."+name, s.Concurrency[name], fmt.Sprintf("%d to 1000", least))
		}
	}
	return errors.Join(errs...)
}

// connections is how many connections the functions may hold together.
func (s Settings) connections() int {
	sum := 0
	for _, f := range lambdas.All() {
		sum += s.Concurrency[f.Name] * f.Connections()
	}
	return sum
}
