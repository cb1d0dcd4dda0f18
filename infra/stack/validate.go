package stack

import (
	"cmp"
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

// logRetentions are the numbers of days that CloudWatch Logs accepts:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var logRetentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// maxThrottling is the largest burst limit of API Gateway, an integer of 32 bits.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
const maxThrottling = 1<<31 - 1

// A checker collects wrong settings. The text about each names the key, the value and the allowed
// values.
type checker struct{ wrong []string }

func (c *checker) check(ok bool, key string, value any, want string) {
	if !ok {
		c.wrong = append(c.wrong, fmt.Sprintf("%s is %v: want %s", key, value, want))
	}
}

// text checks a setting that is text. The error quotes the value.
func (c *checker) text(ok bool, key, value, want string) {
	c.check(ok, key, fmt.Sprintf("%q", value), want)
}

func (c *checker) between(key string, value, low, high int) {
	c.check(value >= low && value <= high, key, value, fmt.Sprintf("%d to %d", low, high))
}

// err names all wrong settings in one line, also if values have line breaks; nil if none is wrong.
func (c *checker) err() error {
	if len(c.wrong) == 0 {
		return nil
	}
	return errors.New(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.Join(c.wrong, "; ")))
}

// validate checks the settings of a stage in a region.
func (s Settings) validate(region string) error {
	c := &checker{}
	s.validateAddresses(c, region)
	c.text(s.PermissionsBoundary == "" || strings.HasPrefix(s.PermissionsBoundary, "arn:aws:iam::"),
		"permissionsBoundary", s.PermissionsBoundary, "the ARN of an IAM policy, or nothing")
	c.between("factoryLeadTimeSeconds", s.FactoryLeadTimeSeconds, 1, 7*24*60*60)
	c.text(slices.Contains(lambdas.Catalogues(), s.Catalogue), "catalogue", s.Catalogue,
		fmt.Sprintf("one of %v, the files in lambdas/catalogues", lambdas.Catalogues()))
	c.check(slices.Contains(logRetentions, s.LogRetentionDays),
		"logRetentionDays", s.LogRetentionDays, fmt.Sprintf("one of %v", logRetentions))
	c.check(s.SecretRecoveryDays == 0 || s.SecretRecoveryDays >= 7 && s.SecretRecoveryDays <= 30,
		"secretRecoveryDays", s.SecretRecoveryDays, "0, or 7 to 30")
	limits := s.Throttling.limits()
	for _, traffic := range lambdas.Traffics() {
		key, rate := fmt.Sprintf("throttling.%s.", traffic), limits[traffic].RatePerSecond
		c.check(rate >= 1 && rate <= maxThrottling, key+"ratePerSecond", rate, fmt.Sprintf("1 to %d", maxThrottling))
		c.between(key+"burst", limits[traffic].Burst, 1, maxThrottling)
	}
	s.validateDatabase(c)
	s.validateConcurrency(c)
	return c.err()
}

func (s Settings) validateAddresses(c *checker, region string) {
	distinct := slices.Compact(slices.Sorted(slices.Values(s.Zones)))
	elsewhere := slices.ContainsFunc(s.Zones, func(zone string) bool {
		return !strings.HasPrefix(zone, region) || !zoneName.MatchString(zone)
	})
	c.check(len(s.Zones) >= 2 && len(distinct) == len(s.Zones) && !elsewhere,
		"zones", s.Zones, "two or more different availability zones of "+region)
	unknown := slices.ContainsFunc(s.EndpointZones, func(zone string) bool { return !slices.Contains(s.Zones, zone) })
	c.check(len(s.EndpointZones) > 0 && !unknown,
		"endpointZones", s.EndpointZones, fmt.Sprintf("one or more of the zones %v", s.Zones))
	s.validateFactory(c)
	for _, origin := range s.CORSOrigins {
		c.text(origin == "*" || isOrigin(origin) && !strings.HasSuffix(origin, "/"),
			"corsOrigins", origin, `an origin like https://www.example.com, or "*"`)
	}
	if s.Domain != nil {
		c.text(domainName.MatchString(s.Domain.Name), "domain.name", s.Domain.Name, "a name like shop.example.com")
		where := "in " + region
		if s.CDN {
			// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
			region, where = "us-east-1", "in us-east-1, the only region whose certificates CloudFront uses"
		}
		c.text(strings.HasPrefix(s.Domain.CertificateARN, "arn:aws:acm:"+region+":"),
			"domain.certificateArn", s.Domain.CertificateARN,
			"the ARN of a certificate in Certificate Manager "+where)
	}
	if s.AlarmEmail != "" {
		address, err := mail.ParseAddress(s.AlarmEmail)
		c.text(err == nil && address.Address == s.AlarmEmail,
			"alarmEmail", s.AlarmEmail, "an email address without a display name")
	}
}

// validateFactory checks the factory's URL. A protected stage sells real goods, and a simulated
// factory makes none.
func (s Settings) validateFactory(c *checker) {
	const want = "a URL without a path, like https://factory.example.com"
	switch {
	case s.FactoryURL != SimulatedFactory:
		c.text(isOrigin(s.FactoryURL), "factoryUrl", redacted(s.FactoryURL),
			fmt.Sprintf("%s, or %q", want, SimulatedFactory))
	case s.Protect:
		c.text(false, "factoryUrl", SimulatedFactory, want+": the stage is protected, and simulated goods do not exist")
	}
}

func (s Settings) validateDatabase(c *checker) {
	const maxStorage = 65536 // GiB, the limit of gp3
	d := s.Database
	class, known := instance.Classes[d.InstanceClass]
	c.text(known, "database.instanceClass", d.InstanceClass,
		fmt.Sprintf("one of %v", slices.Sorted(maps.Keys(instance.Classes))))
	c.between("database.storageGiB", d.StorageGiB, 20, maxStorage)
	// AWS asks for a tenth more:
	// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
	least := (d.StorageGiB*11 + 9) / 10
	c.check(d.MaxStorageGiB == 0 || d.MaxStorageGiB >= least && d.MaxStorageGiB <= maxStorage,
		"database.maxStorageGiB", d.MaxStorageGiB,
		fmt.Sprintf("0, or %d to %d, a tenth more than storageGiB at least", least, maxStorage))
	c.between("database.backupRetentionDays", d.BackupRetentionDays, 0, 35)
	if s.Protect {
		// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html
		c.check(d.BackupRetentionDays != 0, "database.backupRetentionDays", d.BackupRetentionDays,
			"1 to 35, because protect is true and 0 disables automated backups")
		c.check(d.KeepBackups, "database.keepBackups", d.KeepBackups,
			"true, because protect is true and the data must survive the deletion of the database")
	}
	if known {
		s.validateConnections(c, class)
	}
}

// validateConnections checks that the server has a connection for every instance of the functions,
// and memory for every connection. Behind a proxy only setup needs connections of the server.
func (s Settings) validateConnections(c *checker, class instance.Class) {
	held, least := class.Connections(), versionsAtOnce*s.connections()+reservedConnections
	why := fmt.Sprintf("the functions may open %d connections, twice as many while an update rolls out, "+
		"and %d stay free", s.connections(), reservedConnections)
	if s.Concurrency.unreserved() {
		why = fmt.Sprintf("an instance of each function may open %d connections together, twice as many while an "+
			"update rolls out, and %d stay free", s.connections(), reservedConnections)
	}
	if s.Database.Proxy {
		least = lambdas.SetupConnections + reservedConnections
		why = fmt.Sprintf("setup opens %d connections, and %d stay free", lambdas.SetupConnections, reservedConnections)
	}
	if least > held {
		c.text(false, "database.instanceClass", s.Database.InstanceClass,
			fmt.Sprintf("a class with memory for %d connections or more, this one has it for %d: %s%s",
				least, held, why, s.lower(least-held)))
		return
	}
	c.check(s.Database.MaxConnections >= least && s.Database.MaxConnections <= held,
		"database.maxConnections", s.Database.MaxConnections,
		fmt.Sprintf("%d to %d: %s, and the instance class has memory for %d%s",
			least, held, why, held, s.lower(least-s.Database.MaxConnections)))
}

// lower says which functions' concurrency to lower if the server lacks connections: first that of
// the function with most connections. It says nothing if that is not enough.
func (s Settings) lower(lacking int) string {
	if lacking <= 0 || s.Database.Proxy {
		return ""
	}
	functions := slices.SortedStableFunc(slices.Values(lambdas.All()), func(a, b lambdas.Function) int {
		return cmp.Compare(s.Concurrency[b.Name]*b.Connections(), s.Concurrency[a.Name]*a.Connections())
	})
	var lower []string
	for _, f := range functions {
		each, now := versionsAtOnce*f.Connections(), s.Concurrency[f.Name]
		if lacking <= 0 || each == 0 || now <= leastConcurrency(f) {
			continue
		}
		by := min((lacking+each-1)/each, now-leastConcurrency(f))
		lacking -= by * each
		lower = append(lower, fmt.Sprintf("lower concurrency.%s by %d, to %d", f.Name, by, now-by))
	}
	if lacking > 0 {
		return ""
	}
	return "; or " + strings.Join(lower, " and ")
}

func (s Settings) validateConcurrency(c *checker) {
	functions := map[string]lambdas.Function{}
	for _, f := range lambdas.All() {
		functions[f.Name] = f
	}
	for _, name := range slices.Sorted(maps.Keys(s.Concurrency)) {
		f, known := functions[name]
		if !known {
			c.check(false, "concurrency."+name, s.Concurrency[name],
				fmt.Sprintf("the name of a function: one of %v", slices.Sorted(maps.Keys(functions))))
			continue
		}
		c.between("concurrency."+name, s.Concurrency[name], leastConcurrency(f), 1000)
	}
}

// leastConcurrency is the smallest concurrency of a function.
func leastConcurrency(f lambdas.Function) int {
	if f.Queue != "" {
		return 2 // Lambda's limit for an event source mapping
	}
	return 1
}

// connections is the largest number of connections that the functions open together. It counts one
// instance of each function without a reservation.
func (s Settings) connections() int {
	sum := 0
	for _, f := range lambdas.All() {
		sum += s.Concurrency.instances(f) * f.Connections()
	}
	return sum
}

// isOrigin reports whether a text is a URL of a scheme and a host only. A slash may follow.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" &&
		strings.TrimSuffix(text, "/") == u.Scheme+"://"+u.Host
}

// redacted returns a URL without its password and its query, which may be secret.
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

// zoneName matches the names of availability zones:
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
var zoneName = regexp.MustCompile(`^[a-z0-9-]+[a-z]$`)

// domainName matches DNS names with two labels or more.
var domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
