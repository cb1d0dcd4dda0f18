package programs_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"restock/cmd/local/factory"
	"restock/cmd/local/programs"
	tutorial "restock/examples/tutorial/program"
	"restock/infra/graph"
	declared "restock/infra/stack"
	"restock/infra/stack/stacktest/pinned"
	"restock/internal/mysql/mysqltest"
	"restock/internal/web"
	"restock/lambdas"
	"restock/local/aws/lambda"
	"restock/local/mariadb/mariadbtest"
	"restock/local/view/console/consoletest"
	"restock/test/await"
	"restock/test/fixture"
)

const projectDir = "../../.."

// TestMain builds the functions and the merchant's command line once, before parallel runs need
// them at the same time.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	packages := []string{"./cmd/shop"}
	for _, f := range lambdas.All() {
		packages = append(packages, "./lambdas/"+f.Name)
	}
	folders, _ := filepath.Glob(filepath.Join(projectDir, tutorial.Functions, "*")) // the pattern is well-formed
	for _, folder := range folders {
		packages = append(packages, "./"+tutorial.Functions+"/"+filepath.Base(folder))
	}
	buildDir, err := filepath.Abs(programs.DefaultConfig(projectDir).BuildDir)
	if err != nil {
		log.Fatal(err)
	}
	if err := lambda.Build(context.Background(), projectDir, buildDir, packages...); err != nil {
		log.Fatal(err)
	}
	mariadbtest.Main(m)
}

// config returns a run of [pinned.Project] on free ports. Its factory's steps take a millisecond.
// Its database is on the server that all runs share, and has the schema, because the start of a
// server takes half a second of the processor's time, and the migrations a tenth.
func config(tb testing.TB) programs.Config {
	c := privateConfig(tb)
	c.DSN = mysqltest.Migrated(tb)
	return c
}

// privateConfig is config with a private server, which the run starts, and whose database it
// migrates. It costs nothing if the run does not start.
func privateConfig(tb testing.TB) programs.Config {
	mariadbtest.Require(tb)
	c := programs.DefaultConfig(projectDir)
	c.API, c.AWS, c.Factory = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.FactoryStep = time.Millisecond
	c.Built = true // by TestMain
	root, err := filepath.Abs(projectDir)
	if err != nil {
		tb.Fatal(err)
	}
	if c.Program.Project, err = filepath.Rel(root, pinned.Project(tb, projectDir)); err != nil {
		tb.Fatal(err)
	}
	c.Log = slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	return c
}

// A stack is a run with what its clients need.
type stack struct {
	*programs.Run
	programs.Endpoints
	db *sql.DB
}

func start(tb testing.TB, c programs.Config) *stack {
	tb.Helper()
	r, err := programs.Start(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	return started(tb, r)
}

// started returns a run that has started. The test's end closes it.
func started(tb testing.TB, r *programs.Run) *stack {
	tb.Helper()
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Errorf("closing the run: %v", err)
		}
	})
	s := &stack{Run: r, Endpoints: r.Endpoints()}
	var err error
	if s.db, err = sql.Open("mysql", s.DSN); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.db.Close() })
	return s
}

// checkout buys one doughnut as a buyer does who wants a certain answer: it repeats the request,
// with the same key, while the shop does not know. A busy machine may need more than a function's
// timeout. It returns the last answer's status and body.
func (s *stack) checkout(ctx context.Context) (status int, body string, err error) {
	return s.checkoutOf(ctx, "")
}

// checkoutOf is checkout for a product; without a SKU for the doughnut.
func (s *stack) checkoutOf(ctx context.Context, sku string) (status int, body string, err error) {
	const requests = 20
	key := rand.Text()
	for range requests {
		status, body, err = s.requestCheckout(ctx, key, sku)
		if err != nil || status < http.StatusInternalServerError {
			break
		}
	}
	return status, body, err
}

// requestCheckout sends one request for a product, and returns the answer's status and body. A
// request without a body is for a doughnut.
func (s *stack) requestCheckout(ctx context.Context, key, sku string) (status int, body string, err error) {
	order := ""
	if sku != "" {
		order = fmt.Sprintf(`{"sku":%q}`, sku)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.API+"/checkout", strings.NewReader(order))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func (s *stack) number(tb testing.TB, query string) (n int) {
	tb.Helper()
	if err := s.db.QueryRowContext(tb.Context(), query).Scan(&n); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return n
}

// buy sends checkouts, atOnce at a time, and counts the answers by status.
func (s *stack) buy(tb testing.TB, checkouts, atOnce int) map[int]int {
	tb.Helper()
	var mu sync.Mutex
	statuses := map[int]int{}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for range checkouts {
		group.Go(func() error {
			status, _, err := s.checkout(tb.Context())
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
			return err
		})
	}
	if err := group.Wait(); err != nil {
		tb.Fatal(err)
	}
	return statuses
}

func TestSoldOutDoughnutRestocksItself(t *testing.T) {
	t.Parallel()
	c := privateConfig(t)
	stream := listen(&c)
	s := start(t, c)
	// The factory delivers after the last refusal, however slow the buyers are. Nobody asks it
	// again meanwhile.
	if _, err := s.db.ExecContext(t.Context(), `UPDATE product SET lead_time = 86400`); err != nil {
		t.Fatal(err)
	}
	if err := s.Run.Factory.SetFault(factory.Fault{Hold: true}); err != nil {
		t.Fatal(err)
	}
	for want := 2; want >= 0; want-- {
		status, body, err := s.checkout(t.Context())
		if err != nil || status != 200 || !strings.Contains(body, web.Bought.WithStock(web.Languages()[0], want)) {
			t.Fatalf("a checkout got %d %s, %v; want a sale that leaves %d", status, body, err, want)
		}
	}
	if got := s.buy(t, 100, 16); got[http.StatusConflict] != 100 {
		t.Fatalf("100 buyers of a sold-out product got %v, want 100 refusals", got)
	}
	if err := s.Run.Factory.SetFault(factory.Fault{}); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the lot is delivered", func() bool { return s.number(t, donutStock) > 0 })

	requests := s.Run.Factory.Requests()
	if len(requests) != 1 {
		t.Fatalf("the factory got %d requests for one shortage, want 1", len(requests))
	}
	var request map[string]any
	if err := json.Unmarshal(requests[0].Body, &request); err != nil {
		t.Fatal(err)
	}
	callback := fmt.Sprint(request["CallbackUrl"])
	want := map[string]any{
		"MessageGroupId": "stock-arrival-group", "MessageAttributeProductId": "CP-502101",
		"MessageAttributeProductCnt": "100", "MessageAttributeFactoryId": "FF-500293",
		"MessageAttributeRequester": "stock-bot", "CallbackUrl": callback,
	}
	if fmt.Sprint(request) != fmt.Sprint(want) || !strings.HasPrefix(callback, s.API+"/production-orders/") {
		t.Errorf("the factory got %v, want %v with a callback to %s", request, want, s.API)
	}

	// A repeated callback has no effect.
	for range 3 {
		response, err := http.Post(callback, "application/json", strings.NewReader(string(requests[0].Body)))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 {
			t.Errorf("a repeated callback got %s, want 200", response.Status)
		}
	}
	await.Until(t, "no delivery waits", func() bool { return s.queued(t, lambdas.DeliveriesQueue) == 0 })
	status, body, err := s.checkout(t.Context())
	if err != nil || status != 200 || !strings.Contains(body, `"stock":99`) {
		t.Errorf("a checkout after the delivery got %d %s, %v; want a sale that leaves 99", status, body, err)
	}
	s.checkTraces(t, stream, mysqltest.Donut)
}

func TestConcurrentBuyersThroughTheAPI(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Stage = "prod" // this stage has an instance for each buyer, and no products of its own
	c.Settings = map[string]any{"catalogue": lambdas.TestCatalogue}
	c.FactoryStep = time.Hour // no delivery during the test
	s := start(t, c)
	const stock, buyers, checkouts = 300, 32, 1000
	_, err := s.db.ExecContext(t.Context(), `
		CALL move((SELECT product_id FROM product WHERE sku = 'CP-502101'), 0,
		          ? - (SELECT stock FROM product_stock WHERE sku = 'CP-502101'), 'opening', NULL, NULL, NULL, NULL,
		          UTC_TIMESTAMP(6), '')`, stock)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.buy(t, checkouts, buyers); got[200] != stock || got[409] != checkouts-stock {
		t.Errorf("%d checkouts of %d got %v, want %d sales and %d refusals",
			checkouts, stock, got, stock, checkouts-stock)
	}
	sales, left := s.number(t, `SELECT COUNT(*) FROM sale`), s.number(t, donutStock)
	ledger := s.number(t, `SELECT SUM(m.quantity) FROM movement m JOIN product p USING (product_id)
		WHERE p.sku = 'CP-502101'`)
	if sales != stock || left != 0 || ledger != 0 {
		t.Errorf("%d sales are stored, stock is %d, the ledger's sum is %d; want %d, 0, 0", sales, left, ledger, stock)
	}
	// Each instance may have one connection, and does not open one for each sale. The other
	// functions have instances too.
	otherInstances := 0
	for _, f := range lambdas.All() {
		if f.Name != lambdas.SalesAPI.Name {
			otherInstances += f.Connections() * f.Instances(f.Concurrency)
		}
	}
	connections := s.number(t,
		`SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND user <> 'root'`)
	if connections < 1 || connections > buyers+otherInstances {
		t.Errorf("%d connections are open, want 1 to %d", connections, buyers+otherInstances)
	}
}

// shortenRetries makes the queue's messages dead letters within seconds instead of minutes. It
// changes the queue of the running stack, because Lambda refuses a queue whose visibility timeout
// is shorter than the function's timeout.
func (s *stack) shortenRetries(tb testing.TB, visibilitySeconds string) {
	tb.Helper()
	const redrivePolicy = types.QueueAttributeNameRedrivePolicy
	got, err := s.sqs().GetQueueAttributes(tb.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: s.queueURL("stock_queue"), AttributeNames: []types.QueueAttributeName{redrivePolicy},
	})
	if err != nil {
		tb.Fatal(err)
	}
	policy := got.Attributes[string(redrivePolicy)]
	s.setQueue(tb, map[string]string{
		"VisibilityTimeout":   visibilitySeconds,
		string(redrivePolicy): strings.Replace(policy, `"maxReceiveCount":5`, `"maxReceiveCount":2`, 1),
	})
}

// setQueue changes attributes of stock_queue.
func (s *stack) setQueue(tb testing.TB, attributes map[string]string) {
	tb.Helper()
	if _, err := s.sqs().SetQueueAttributes(tb.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: s.queueURL("stock_queue"), Attributes: attributes,
	}); err != nil {
		tb.Fatal(err)
	}
}

func (s *stack) sqs() *sqs.Client {
	return sqs.New(sqs.Options{
		Region: pinned.Region, BaseEndpoint: aws.String(s.AWS),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

func (s *stack) queueURL(name string) *string {
	return aws.String(s.AWS + "/" + graph.AccountID + "/" + name)
}

// deadLetters returns the number of messages in the dead-letter queue.
func (s *stack) deadLetters(tb testing.TB) int {
	tb.Helper()
	return s.queued(tb, lambdas.DeadLetterQueue(lambdas.StockQueue))
}

// requests returns how often the function stock has asked the factory for a product.
func (s *stack) requests(sku string) (n int) {
	for _, r := range s.Run.Factory.Requests() {
		if strings.Contains(string(r.Body), `"`+sku+`"`) {
			n++
		}
	}
	return n
}

// The cases share a run. Each has a product of its own.
func TestARefusedRequestIsRetriedAndBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	s := start(t, config(t))
	cases := []struct {
		sku        string
		fault      factory.Fault
		visibility string // in seconds, longer than the function's timeout for the request
	}{
		{"LETTER-400", factory.Fault{Status: 400}, "1"},
		{"LETTER-500", factory.Fault{Status: 500}, "1"},
		{"LETTER-CLOSES", factory.Fault{Answer: factory.AnswerDisconnect}, "1"},
		{"LETTER-HANGS", factory.Fault{Answer: factory.AnswerNever}, "7"},
	}
	const lot = 20
	for _, c := range cases {
		t.Run(c.sku, func(t *testing.T) {
			s.shortenRetries(t, c.visibility)
			if err := s.Run.Factory.SetFault(c.fault); err != nil {
				t.Fatal(err)
			}
			// The message is valid for a lead time. It must not expire while a busy machine runs
			// this test.
			last := fixture.Product{
				SKU: c.sku, Stock: 1, OrderUpTo: lot, LotSize: lot, Automatic: true, LeadTime: 24 * time.Hour,
			}
			if err := fixture.Put(t.Context(), s.db, last); err != nil {
				t.Fatal(err)
			}
			before := s.deadLetters(t)
			if status, body, err := s.checkoutOf(t.Context(), c.sku); err != nil || status != http.StatusOK {
				t.Fatalf("a checkout got %d %s, %v; want a sale", status, body, err)
			}
			await.Until(t, "the message is a dead letter", func() bool { return s.deadLetters(t) == before+1 })
			// The last attempt may last longer than the visibility timeout, and end after the
			// message has moved to the dead-letter queue.
			await.Until(t, "the factory has two requests", func() bool { return s.requests(c.sku) >= 2 })
			if n := s.requests(c.sku); n != 2 {
				t.Errorf("the factory got %d requests, want 2, the queue's maxReceiveCount", n)
			}
		})
	}
	t.Run("the merchant redrives all", func(t *testing.T) {
		s.setQueue(t, map[string]string{"VisibilityTimeout": "60"}) // a redriven message is handled once
		if err := s.Run.Factory.SetFault(factory.Fault{}); err != nil {
			t.Fatal(err)
		}
		letters := s.deadLetters(t)
		out := s.shop(t, "redrive", "--ready", s.ready(t))
		went := fmt.Sprintf("%d messages went from stock_queue_dlq back", len(cases))
		if letters != len(cases) || !strings.Contains(out, went) {
			t.Errorf("of %d dead letters, shop redrive prints %s", letters, out)
		}
		await.Until(t, "the redriven messages lead to deliveries", func() bool {
			return s.number(t, `SELECT SUM(stock) FROM product_stock WHERE sku LIKE 'LETTER-%'`) == len(cases)*lot
		})
	})
}

func TestAnInvalidRecordDoesNotFailOthers(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Console = "127.0.0.1:0"
	s := start(t, c)
	s.shortenRetries(t, "60") // the valid record is handled once, however slow the machine is
	for _, body := range []string{"도너츠", `{"Type":"Notification","Message":"{}"}`} {
		input := &sqs.SendMessageInput{QueueUrl: s.queueURL("stock_queue"), MessageBody: aws.String(body)}
		if _, err := s.sqs().SendMessage(t.Context(), input); err != nil {
			t.Fatal(err)
		}
	}
	s.buy(t, 3, 1)
	await.Until(t, "the valid record leads to a delivery", func() bool { return s.number(t, donutStock) == 100 })
	await.Until(t, "only the bad records are left", func() bool { return s.queued(t, "stock_queue") == 2 })
	await.Until(t, "the bad records are in the dead-letter queue", func() bool {
		var visible any
		consoletest.Do(t, s.Console, http.MethodPost, "/pass-time", "{}", &visible)
		return s.deadLetters(t) == 2
	})
}

// The parts of the test share a run. The last part ends it: an unfinished request does not delay
// the end.
func TestARunUsesItsServerAndEndsInSpiteOfAnUnfinishedRequest(t *testing.T) {
	t.Parallel()
	c := config(t)
	r, err := programs.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{Run: r, Endpoints: r.Endpoints()}
	t.Run("it uses the server of its DSN", func(t *testing.T) { s.usesServer(t, c.DSN) })
	t.Run("a person invokes a function", s.invokesFunctions)

	conn, err := net.Dial("tcp", strings.TrimPrefix(s.API, "http://"))
	if err == nil {
		defer conn.Close()
		_, err = io.WriteString(conn, "POST /checkout HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n{")
	}
	if err != nil {
		t.Errorf("sending an unfinished request: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("closing the run: %v", err)
	}
}

func (s *stack) usesServer(t *testing.T, dsn string) {
	if status, body, err := s.checkout(t.Context()); err != nil || status != 200 {
		t.Fatalf("a checkout got %d %s, %v", status, body, err)
	}
	given, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer given.Close()
	var sales int
	if err := given.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM sale`).Scan(&sales); err != nil || sales != 1 {
		t.Errorf("the given server has %d sales, %v; want 1", sales, err)
	}
}

func TestAClosedRunHasNoListeners(t *testing.T) {
	t.Parallel()
	c := privateConfig(t)
	r, err := programs.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	e := r.Endpoints()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	database := e.DSN[strings.Index(e.DSN, "(")+1 : strings.Index(e.DSN, ")")]
	for _, address := range []string{e.API, e.AWS, e.Factory, database} {
		address = strings.TrimPrefix(address, "http://")
		if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			conn.Close()
			t.Errorf("a server still listens on %s", address)
		}
	}
}

func TestARunFailsWhenItsDatabaseStops(t *testing.T) {
	t.Parallel()
	c := privateConfig(t)
	s := start(t, c)
	if _, err := s.db.ExecContext(t.Context(), "SHUTDOWN"); err != nil {
		t.Fatal(err)
	}
	err := await.Receive(t, "the run reports the end of the database", s.Run.Failed())
	if !strings.Contains(err.Error(), "MariaDB has ended") {
		t.Errorf("the run failed with %v", err)
	}
}

// set changes a property of the first resource of a type.
func set(token graph.Type, property string, value any) func(*programs.Config) {
	return func(c *programs.Config) {
		c.Unchecked = true // the test checks the errors of the run, not of the rules
		c.Edit = func(g *graph.Graph) { g.OfType(token)[0].Outputs[property] = value }
	}
}

func TestAFailedStartHasItsReasonInTheFirstLine(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	exits, err := exec.LookPath("false")
	if err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir() // a project whose functions do not build
	for _, name := range []string{"Pulumi.yaml", "Pulumi.dev.yaml"} {
		content, err := os.ReadFile(filepath.Join(projectDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(broken, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		edit func(*programs.Config)
		want string
	}{
		{"a busy port", func(c *programs.Config) { c.API = busy.Addr().String() },
			"-api " + busy.Addr().String() + " is in use"},
		{"an address that is not loopback", func(c *programs.Config) { c.AWS = "0.0.0.0:0" },
			"-aws 0.0.0.0:0 is not on loopback"},
		{"no address", func(c *programs.Config) { c.Factory = "factory" }, "-factory factory is not an address"},
		{"simulated goods in a protected stage",
			func(c *programs.Config) { c.Stage, c.Factory = "prod", declared.SimulatedFactory },
			`factoryUrl is "simulated": want a URL`},
		{"no stage", func(c *programs.Config) { c.Stage = "nowhere" }, `there is no stage "nowhere"`},
		{"an invalid DSN", func(c *programs.Config) { c.DSN = "localhost" }, "-dsn"},
		{"an unreachable server", func(c *programs.Config) { c.DSN = "root@tcp(127.0.0.1:1)/" }, "127.0.0.1:1"},
		{"a function for another runtime", set(graph.Function, "runtime", "nodejs18.x"),
			`runtime "nodejs18.x" with handler "bootstrap"`},
		{"another format of events", set(graph.APIIntegration, "payloadFormatVersion", "1.0"),
			`payload format "1.0": the handlers take AWS_PROXY with 2.0`},
		{"a stage without deployments", set(graph.APIStage, "autoDeploy", false),
			"stage shop: autoDeploy is not on"},
		{"a subscription of another protocol", set(graph.TopicSubscription, "protocol", "https"),
			"subscription ads_queue: https from topic"},
		{"a function that cannot start", func(c *programs.Config) {
			c.Edit = func(g *graph.Graph) { g.Named(graph.Function, "merchant-api").Outputs["code"] = exits }
		}, "starting function merchant-api: Runtime.ExitError"},
		{"a program that does not build", func(c *programs.Config) {
			c.ProjectDir, c.Program.Project, c.BuildDir, c.Built = broken, ".", t.TempDir(), false
		}, "build"},
	} {
		t.Run(c.name, func(t *testing.T) {
			configuration := config(t)
			c.edit(&configuration)
			r, err := programs.Start(t.Context(), configuration)
			if err == nil {
				r.Close()
				t.Fatal("the run started")
			}
			if first, _, _ := strings.Cut(err.Error(), "\n"); !strings.Contains(first, c.want) {
				t.Errorf("got %q, want a first line with %q", err, c.want)
			}
		})
	}
}
