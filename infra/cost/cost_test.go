package cost_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"net/url"
	"slices"
	"strings"
	"testing"

	"restock/infra/cost"
	"restock/infra/graph"
	"restock/lambdas"
)

const region = "ap-northeast-2"

// resource returns a resource of a small graph.
func resource(kind graph.Type, name string, outputs map[string]any) *graph.Resource {
	return &graph.Resource{URN: string(kind) + name, Type: kind, Name: name, ID: name, Outputs: outputs}
}

func estimate(t *testing.T, resources ...*graph.Resource) *cost.Estimate {
	t.Helper()
	e, err := of(resources...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func of(resources ...*graph.Resource) (*cost.Estimate, error) {
	a := cost.DefaultAssumptions()
	a.CustomMetrics = 0 // no resource declares them
	return cost.New(cost.Stage{Name: "test", Region: region, Graph: &graph.Graph{Resources: resources}},
		cost.Seoul(), a)
}

func database(change map[string]any) *graph.Resource {
	outputs := map[string]any{
		"engine": "mariadb", "storageType": "gp3", "instanceClass": "db.t4g.medium", "allocatedStorage": 100.0,
		"backupRetentionPeriod": 7.0,
	}
	for key, value := range change {
		outputs[key] = value
	}
	return resource(graph.Database, "db", outputs)
}

func endpoint(kind string, subnets ...any) *graph.Resource {
	return resource(graph.VPCEndpoint, "e", map[string]any{"vpcEndpointType": kind, "subnetIds": subnets})
}

func TestFixedCostOfResources(t *testing.T) {
	alarm := func(outputs map[string]any) *graph.Resource {
		return resource(graph.MetricAlarm, "a", outputs)
	}
	metric := func(period float64) any {
		return map[string]any{"metric": map[string]any{"period": period}}
	}
	for _, c := range []struct {
		name      string
		resources []*graph.Resource
		line      string
		want      cost.Money // micro-dollars
	}{
		{"an instance, 730 hours of $0.102", []*graph.Resource{database(nil)}, "RDS instance db", 74_460_000},
		{"Multi-AZ doubles the instance", []*graph.Resource{database(map[string]any{"multiAz": true})},
			"RDS instance db", 148_920_000},
		{"storage, 100 GB of $0.131", []*graph.Resource{database(nil)}, "storage of db", 13_100_000},
		{"Multi-AZ doubles the storage", []*graph.Resource{database(map[string]any{"multiAz": true})}, "storage of db",
			26_200_000},
		{"backups up to the storage are free", []*graph.Resource{database(nil)}, "backups of db", 0},
		{"backups without retention are none",
			[]*graph.Resource{database(map[string]any{"backupRetentionPeriod": 0.0})}, "backups of db", 0},
		{"RDS's own secret", []*graph.Resource{database(map[string]any{"manageMasterUserPassword": true})},
			"secret of db", 400_000},
		{"an endpoint in one zone, 730 hours of $0.013", []*graph.Resource{endpoint("Interface", "a")}, "endpoint e",
			9_490_000},
		{"an endpoint in three zones", []*graph.Resource{endpoint("Interface", "a", "b", "c")}, "endpoint e",
			28_470_000},
		{"two endpoints", []*graph.Resource{endpoint("Interface", "a"), endpoint("Interface", "a")}, "", 2 * 9_490_000},
		{"a gateway endpoint", []*graph.Resource{endpoint("Gateway")}, "", 0},
		{"two secrets", []*graph.Resource{resource(graph.Secret, "a", nil), resource(graph.Secret, "b", nil)},
			"", 800_000},
		{"a key", []*graph.Resource{resource(graph.Key, "k", nil)}, "KMS key k", 1_000_000},
		{"a dashboard", []*graph.Resource{resource(graph.Dashboard, "d", nil)}, "dashboard d", 3_000_000},
		{"a proxy, two vCPUs of $0.018", proxied("db.t4g.medium"), "proxy p", 26_280_000},
		{"a proxy before a larger instance", proxied("db.t4g.large"), "proxy p", 26_280_000},
		{"a composite alarm", []*graph.Resource{resource(graph.CompositeAlarm, "c", nil)},
			"composite alarm c", 500_000},
		{"two alarms", []*graph.Resource{alarm(map[string]any{"period": 60.0}), alarm(map[string]any{"period": 300.0})},
			"alarms", 200_000},
		{"an alarm on two metrics and an expression", []*graph.Resource{alarm(map[string]any{"metricQueries": []any{
			metric(60), metric(60), map[string]any{"expression": "a/b"},
		}})}, "alarms", 200_000},
		{"an alarm of 10 s", []*graph.Resource{alarm(map[string]any{"period": 10.0})},
			"high-resolution alarms", 300_000},
		{"a component", []*graph.Resource{{URN: "c", Type: "restock:lambda:Function", Name: "c"}}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := estimate(t, c.resources...)
			got := e.FixedTotal
			if c.line != "" {
				got = lineOf(t, e.Fixed, c.line).Cost
			}
			if got != c.want || len(e.Unpriced) > 0 {
				t.Errorf("got %d micro-dollars and unpriced %v, want %d and none; lines: %+v", got, e.Unpriced,
					c.want, e.Fixed)
			}
		})
	}
}

// proxied returns a database of a class and its proxy.
func proxied(class string) []*graph.Resource {
	return []*graph.Resource{
		database(map[string]any{"instanceClass": class, "identifier": "db"}),
		resource(graph.Proxy, "p", map[string]any{"name": "p"}),
		resource(graph.ProxyTarget, "t", map[string]any{"dbProxyName": "p", "dbInstanceIdentifier": "db"}),
	}
}

func TestAccessLogCostsPerRequest(t *testing.T) {
	const arn = "arn:aws:logs:ap-northeast-2:000000000000:log-group:access"
	with := append(shop("arm64"),
		resource(graph.LogGroup, "a", map[string]any{"name": "access", "arn": arn, "retentionInDays": 60.0}),
		resource(graph.APIStage, "s", map[string]any{"accessLogSettings": map[string]any{"destinationArn": arn}}))
	ingested := func(resources []*graph.Resource) cost.Money {
		return lineOf(t, estimate(t, resources...).PerMillion, "log ingestion").Cost
	}
	// A million requests, for $0.76 per GiB.
	got := ingested(with) - ingested(shop("arm64"))
	want := cost.Money(1_000_000 * cost.DefaultAssumptions().AccessBytes * 760_000 / (1 << 30))
	if max(got-want, want-got) > 1 {
		t.Errorf("the access log of a million requests costs %d micro-dollars, want %d", got, want)
	}
}

func lineOf(t *testing.T, lines []cost.Line, what string) cost.Line {
	t.Helper()
	i := slices.IndexFunc(lines, func(l cost.Line) bool { return l.What == what })
	if i < 0 {
		t.Fatalf("there is no line %q in %+v", what, lines)
	}
	return lines[i]
}

func TestBackupsBeyondTheStorageCost(t *testing.T) {
	a := cost.DefaultAssumptions()
	a.StorageUsed, a.DailyChange = 100, 10
	// 100 GB, and 10% of it on each of 7 days: 170 GB, of which 100 are free; 70 × $0.095.
	e, err := cost.New(cost.Stage{Region: region, Graph: &graph.Graph{Resources: []*graph.Resource{database(nil)}}},
		cost.Seoul(), a)
	if err != nil {
		t.Fatal(err)
	}
	if got := lineOf(t, e.Fixed, "backups of db").Cost; got != 6_650_000 {
		t.Errorf("got %d micro-dollars, want 6650000", got)
	}
}

// shop returns the resources for a checkout: an API, its function of 1 GB, and a log group.
func shop(architecture string) []*graph.Resource {
	function := func(name string) *graph.Resource {
		return resource(graph.Function, name, map[string]any{
			"arn": "arn " + name, "invokeArn": "invoke " + name, "memorySize": 1024.0,
			"architectures": []any{architecture},
			"tracingConfig": map[string]any{"mode": "Active"},
			"loggingConfig": map[string]any{"logGroup": "logs"},
			"environment": map[string]any{"variables": map[string]any{"S": "arn:aws:secretsmanager:x",
				"T": "arn:aws:sns:x"}},
		})
	}
	return []*graph.Resource{
		resource(graph.API, "shop", map[string]any{"protocolType": "HTTP"}),
		resource(graph.APIRoute, "r", map[string]any{"routeKey": "POST /checkout", "target": "integrations/i"}),
		resource(graph.APIIntegration, "i", map[string]any{"integrationUri": "invoke sales"}),
		resource(graph.LogGroup, "g", map[string]any{"name": "logs", "retentionInDays": 60.0}),
		function("sales"), function("nobody calls"),
	}
}

func TestCostOfAMillionCheckouts(t *testing.T) {
	a := cost.DefaultAssumptions()
	a.CheckoutMS, a.ColdStartsPerThousand, a.ColdStartMS = 50, 10, 100
	a.LogBytes, a.LogCompressed, a.ResponseBytes = 1<<10, 25, 1<<11
	a.CheckoutsPerMonth = 3_000_000
	for _, c := range []struct {
		architecture, line string
		want               cost.Money
	}{
		{"arm64", "HTTP API requests", 1_230_000},
		{"arm64", "Lambda requests", 200_000},
		// 1 GB × (1,000,000 × 50 ms + 10,000 × 100 ms) is 51,000 GB-seconds.
		{"arm64", "Lambda compute, arm64", 680_003},
		{"x86_64", "Lambda compute, x86_64", 850_002},
		// 1,000,000 KiB are 0.9537 GB.
		{"arm64", "log ingestion", 724_792},
		{"arm64", "log storage", 14_973}, // a quarter of it, for two months
		{"arm64", "data to the Internet", 240_326},
		{"arm64", "Secrets Manager calls", 50_000},
		{"arm64", "X-Ray traces", 2_500_000}, // of half a million invocations
	} {
		e, err := cost.New(cost.Stage{Region: region, Graph: &graph.Graph{Resources: shop(c.architecture)}},
			cost.Seoul(), a)
		if err != nil {
			t.Fatal(err)
		}
		if got := lineOf(t, e.PerMillion, c.line).Cost; got != c.want {
			t.Errorf("%s on %s: got %d micro-dollars, want %d", c.line, c.architecture, got, c.want)
		}
		if want := e.FixedTotal + 3*e.PerMillionTotal; e.Month != want {
			t.Errorf("the month of three million checkouts is %d, want %d", e.Month, want)
		}
	}
}

func TestCostWithoutCheckouts(t *testing.T) {
	function := resource(graph.Function, "f", map[string]any{"arn": "arn f", "architectures": []any{"arm64"}})
	target := resource(graph.EventTarget, "t", map[string]any{"rule": "r", "arn": "arn f"})
	rule := func(expression string) *graph.Resource {
		return resource(graph.EventRule, "r", map[string]any{"name": "r", "scheduleExpression": expression})
	}
	for expression, want := range map[string]string{
		"rate(1 minute)":  "43,800 invocations and their logs",
		"rate(5 minutes)": "8,760 invocations and their logs",
		"rate(1 day)":     "30 invocations and their logs",
		// Once a day in a month of 730 hours, which has 30.4 days.
		"cron(0 3 * * ? *)":    "30 invocations and their logs",
		"cron(0/5 * * * ? *)":  "8,760 invocations and their logs",
		"cron(0 0 1 1 ? 2030)": "0 invocations and their logs", // once a year
	} {
		if got := lineOf(t, estimate(t, function, target, rule(expression)).Fixed, "schedule r").Detail; got != want {
			t.Errorf("%s: got %q, want %q", expression, got, want)
		}
	}
	unpriced := estimate(t, function, target, rule("cron(0 10 * * *)")).Unpriced
	if len(unpriced) != 1 || !strings.Contains(unpriced[0], "cron(0 10") {
		t.Errorf("an unknown schedule: unpriced is %v, want the schedule", unpriced)
	}

	e := estimate(t, function,
		resource(graph.Queue, "q", map[string]any{"arn": "arn q"}),
		resource(graph.EventSourceMapping, "q", map[string]any{"eventSourceArn": "arn q", "functionName": "arn f"}))
	// Five pollers, every 20 s of 730 hours: 657,000 requests.
	if got := lineOf(t, e.Fixed, "polling for q").Cost; got != 262_800 {
		t.Errorf("polling costs %d micro-dollars, want 262800", got)
	}
}

func TestResourcesWithoutAPriceAreListed(t *testing.T) {
	for _, c := range []struct {
		resource *graph.Resource
		want     string // empty: it is free, or priced
	}{
		{resource(graph.NATGateway, "n", nil), "aws:ec2/natGateway:NatGateway n"},
		{resource("random:index/randomId:RandomId", "r", nil), "random:index/randomId:RandomId r"},
		{resource(graph.API, "a", map[string]any{"protocolType": "WEBSOCKET"}),
			"aws:apigatewayv2/api:Api a: protocolType WEBSOCKET"},
		{resource(graph.LogGroup, "g", map[string]any{"name": "access"}),
			"aws:cloudwatch/logGroup:LogGroup g: its logs, which come neither from a function nor from the API"},
		{endpoint("GatewayLoadBalancer", "a"),
			"aws:ec2/vpcEndpoint:VpcEndpoint e: vpcEndpointType GatewayLoadBalancer"},
		{database(map[string]any{"iops": 12000.0}), "aws:rds/instance:Instance db: iops"},
		{database(map[string]any{"monitoringInterval": 0.0}), ""},
		{resource(graph.Queue, "q", map[string]any{"fifoQueue": true}), "aws:sqs/queue:Queue q: fifoQueue"},
		{resource(graph.Queue, "q", map[string]any{"fifoQueue": false}), ""},
		{resource(graph.Role, "r", nil), ""},
		{resource(graph.TopicSubscription, "s", nil), ""},
	} {
		e := estimate(t, c.resource)
		if got := strings.Join(e.Unpriced, ", "); got != c.want {
			t.Errorf("%s: unpriced is %q, want %q", c.resource.Type, got, c.want)
		}
		var printed bytes.Buffer
		if err := e.Print(&printed); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(printed.String(), "Not priced:\n  "+c.want+"\n") != (c.want != "") {
			t.Errorf("%s: printed is\n%s\nwant %q as not priced", c.resource.Type, &printed, c.want)
		}
	}
}

func TestErrorsNameWhatHasNoPrice(t *testing.T) {
	for _, c := range []struct{ property, value, want string }{
		{"instanceClass", "db.x9.huge",
			`"db.x9.huge": the table has db.t4g.large, db.t4g.medium, db.t4g.micro, db.t4g.small`},
		{"engine", "oracle-ee", `engine "oracle-ee": the table has mariadb`},
		{"storageType", "io2", `storage type "io2": the table has gp3`},
	} {
		_, err := of(database(map[string]any{c.property: c.value}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want an error that says %q", c.property, c.value, err, c.want)
		}
	}
	empty := cost.Stage{Name: "far", Region: "eu-west-1", Graph: &graph.Graph{}}
	_, err := cost.New(empty, cost.Seoul(), cost.DefaultAssumptions())
	const regions = "stage far: it is in eu-west-1, but the prices are for ap-northeast-2"
	if err == nil || !strings.Contains(err.Error(), regions) {
		t.Errorf("got %v, want an error that names both regions", err)
	}
	empty.Region = region
	a := cost.DefaultAssumptions()
	a.LotSize = 0
	if _, err := cost.New(empty, cost.Seoul(), a); err == nil ||
		!strings.Contains(err.Error(), "lot size is 0: want 1 to") {
		t.Errorf("got %v, want an error that names the assumption", err)
	}
}

func TestPricesAreComplete(t *testing.T) {
	prices := cost.Seoul()
	if prices.Date.IsZero() || prices.Region == "" || prices.Engine == "" {
		t.Errorf("the table has date %v, region %q, engine %q: want all three", prices.Date, prices.Region,
			prices.Engine)
	}
	names := map[string]bool{}
	for _, p := range prices.All() {
		source, err := url.Parse(p.Source)
		if err != nil || source.Scheme != "https" || source.Host != "aws.amazon.com" ||
			!strings.Contains(source.Path, "pricing") {
			t.Errorf("%s: the source is %q, want a pricing page of AWS", p.Name, p.Source)
		}
		if p.Name == "" || p.Unit == "" || p.Amount <= 0 || p.Per <= 0 {
			t.Errorf("%+v: want a name, a unit, an amount and a quantity", p)
		}
		if p.Basis != cost.Quoted && p.Basis != cost.Recalled {
			t.Errorf("%s: the basis is %q, want %q or %q", p.Name, p.Basis, cost.Quoted, cost.Recalled)
		}
		if names[p.Name] {
			t.Errorf("two prices are named %q", p.Name)
		}
		names[p.Name] = true
	}
}

// seldom are routes whose requests are too few to count, or counted with another route: each read
// counts as GET /products.
var seldom = append([]string{
	lambdas.RouteStorefront, lambdas.RouteOpenAPI, lambdas.RouteProduct, lambdas.RouteDonut, lambdas.RouteDefault,
	lambdas.RouteSale, lambdas.RouteJoinWaitlist, lambdas.RouteWaitlist,
}, lambdas.MerchantAPI.Routes...)

func TestEveryRouteIsCountedOrSeldom(t *testing.T) {
	for _, f := range lambdas.All() {
		for _, route := range f.Routes {
			e := estimate(t,
				resource(graph.API, "shop", map[string]any{"protocolType": "HTTP"}),
				resource(graph.APIRoute, "r", map[string]any{"routeKey": route}))
			counted := slices.ContainsFunc(e.PerMillion, func(l cost.Line) bool {
				return l.What == "HTTP API requests" && l.Cost > 0
			})
			if !counted && !slices.Contains(seldom, route) {
				t.Errorf("requests to %s cost nothing in the estimate: say in infra/cost/usage.go how many come with "+
					"a million checkouts, or add the route to the list seldom in infra/cost/cost_test.go", route)
			}
		}
	}
}

func TestMoneyRounds(t *testing.T) {
	for money, want := range map[cost.Money]string{
		0: "$0.00", 1: "<$0.01", 4_999: "<$0.01", 5_000: "$0.01", 14_999: "$0.01", 15_000: "$0.02",
		999_995_000: "$1,000.00", 1_234_567_890_000: "$1,234,567.89",
	} {
		if got := money.String(); got != want {
			t.Errorf("%d micro-dollars: got %s, want %s", int64(money), got, want)
		}
	}
}

func TestEveryMetricOfTheFunctionsIsPaidFor(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../lambdas/metrics.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	metrics := int64(0)
	for name := range file.Scope.Objects {
		if strings.HasPrefix(name, "Metric") {
			metrics++
		}
	}
	if got := cost.DefaultAssumptions().CustomMetrics; got != metrics {
		t.Errorf("the estimate counts %d metrics, and lambdas/metrics.go has %d", got, metrics)
	}
}
