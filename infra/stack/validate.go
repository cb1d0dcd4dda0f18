package stack

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"restock/infra/instance"
	"restock/lambdas"
)

// logRetentions are the days that CloudWatch Logs takes:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var logRetentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// maxThrottling is what API Gateway has room for: its burst limit is an integer of 32 bits.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
const maxThrottling = 1<<31 - 1

var throttlingAllowed = fmt.Sprintf("1 to %d", maxThrottling)

func (s Settings) validate(region string) error {
	var errs []error
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s is %v: %s", key, value, allowed))
		}
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(s.Zones)))
	elsewhere := slices.ContainsFunc(s.Zones, func(zone string) bool { return !strings.HasPrefix(zone, region) || !zoneName.MatchString(zone) })
	check(len(s.Zones) >= 2 && len(distinct) == len(s.Zones) && !elsewhere, "zones", s.Zones, "two different availability zones of "+region+", or more")
	among := !slices.ContainsFunc(s.EndpointZones, func(zone string) bool { return !slices.Contains(s.Zones, zone) })
	check(len(s.EndpointZones) > 0 && among, "endpointZones", s.EndpointZones, fmt.Sprintf("one or more of the zones %v", s.Zones))
	check(isOrigin(s.FactoryURL), "factoryUrl", fmt.Sprintf("%q", redacted(s.FactoryURL)), "a URL of a host alone, like https://factory.example.com")
	check(s.FactoryLeadTimeSeconds >= 1 && s.FactoryLeadTimeSeconds <= 7*24*60*60, "factoryLeadTimeSeconds", s.FactoryLeadTimeSeconds, "1 to 604800, a week")
	for _, origin := range s.CORSOrigins {
		check(origin == "*" || isOrigin(origin) && !strings.HasSuffix(origin, "/"), "corsOrigins", fmt.Sprintf("%q", origin), `a site like https://www.example.com, or "*"`)
	}
	if s.Domain != nil {
		check(domainName.MatchString(s.Domain.Name), "domain.name", fmt.Sprintf("%q", s.Domain.Name), "a name like shop.example.com")
		check(strings.HasPrefix(s.Domain.CertificateARN, "arn:aws:acm:"+region+":"), "domain.certificateArn", fmt.Sprintf("%q", s.Domain.CertificateARN),
			"the ARN of a certificate of Certificate Manager in "+region)
	}
	if s.AlarmEmail != "" {
		address, err := mail.ParseAddress(s.AlarmEmail)
		check(err == nil && address.Address == s.AlarmEmail, "alarmEmail", fmt.Sprintf("%q", s.AlarmEmail), "an email address alone")
	}
	check(s.PermissionsBoundary == "" || strings.HasPrefix(s.PermissionsBoundary, "arn:aws:iam::"),
		"permissionsBoundary", fmt.Sprintf("%q", s.PermissionsBoundary), "the ARN of a policy of IAM, or nothing")
	check(slices.Contains(logRetentions, s.LogRetentionDays), "logRetentionDays", s.LogRetentionDays, fmt.Sprintf("one of %v", logRetentions))
	check(s.SecretRecoveryDays == 0 || s.SecretRecoveryDays >= 7 && s.SecretRecoveryDays <= 30, "secretRecoveryDays", s.SecretRecoveryDays, "0, or 7 to 30")
	_, isClass := instance.Classes[s.Database.InstanceClass]
	check(isClass, "database.instanceClass", fmt.Sprintf("%q", s.Database.InstanceClass), fmt.Sprintf("one of %v", slices.Sorted(maps.Keys(instance.Classes))))
	check(s.Database.StorageGiB >= 20 && s.Database.StorageGiB <= 65536, "database.storageGiB", s.Database.StorageGiB, "20 to 65536, as gp3 has it")
	// AWS takes no less: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
	leastStorage := (s.Database.StorageGiB*11 + 9) / 10
	check(s.Database.MaxStorageGiB == 0 || s.Database.MaxStorageGiB >= leastStorage && s.Database.MaxStorageGiB <= 65536,
		"database.maxStorageGiB", s.Database.MaxStorageGiB, fmt.Sprintf("0, or %d to 65536: a tenth more than to begin with, or beyond", leastStorage))
	check(s.Database.BackupRetentionDays >= 0 && s.Database.BackupRetentionDays <= 35, "database.backupRetentionDays", s.Database.BackupRetentionDays, "0 to 35")
	check(s.Throttling.RatePerSecond >= 1 && s.Throttling.RatePerSecond <= maxThrottling, "throttling.ratePerSecond", s.Throttling.RatePerSecond, throttlingAllowed)
	check(s.Throttling.Burst >= 1 && s.Throttling.Burst <= maxThrottling, "throttling.burst", s.Throttling.Burst, throttlingAllowed)
	if isClass {
		errs = append(errs, s.checkConnections())
	}
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
	return oneLine(errs)
}

// oneLine is all errors in one line, whatever the values are that they show; nil if there is none.
func oneLine(errs []error) error {
	var texts []string
	for _, err := range errs {
		if err != nil {
			texts = append(texts, err.Error())
		}
	}
	if texts == nil {
		return nil
	}
	return errors.New(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.Join(texts, "; ")))
}

// checkConnections holds that the server has a connection for every instance of the functions, and memory for every connection. Behind a
// proxy it needs them for setup alone, which goes around it.
func (s Settings) checkConnections() error {
	held, least := instance.Classes[s.Database.InstanceClass].Connections(), versionsAtOnce*s.connections()+reservedConnections
	why := fmt.Sprintf("the functions' concurrency takes %d connections, twice while an update rolls out, and %d are kept free", s.connections(), reservedConnections)
	if s.Database.Proxy {
		least, why = lambdas.SetupConnections+reservedConnections, "setup takes 2"
	}
	if least > held {
		return fmt.Errorf("database.instanceClass is %q: one that holds %d connections or more, it holds %d: %s", s.Database.InstanceClass, least, held, why)
	}
	if s.Database.MaxConnections < least || s.Database.MaxConnections > held {
		return fmt.Errorf("database.maxConnections is %d: %d to %d: %s, and the instance class has memory for no more", s.Database.MaxConnections, least, held, why)
	}
	return nil
}

// connections is how many connections the functions may hold together.
func (s Settings) connections() int {
	sum := 0
	for _, f := range lambdas.All() {
		sum += f.Instances(s.Concurrency[f.Name]) * f.Connections()
	}
	return sum
}

// isOrigin reports whether a text is a URL of a scheme and a host alone, perhaps with a slash behind it.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && strings.TrimSuffix(text, "/") == u.Scheme+"://"+u.Host
}

// redacted is a URL without what may be secret: its password, its query.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(no URL)"
	}
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	return u.Redacted()
}

// zoneName matches a name that an availability zone may have: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
var zoneName = regexp.MustCompile(`^[a-z0-9-]+[a-z]$`)

// domainName matches a name of DNS with two labels or more.
var domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
