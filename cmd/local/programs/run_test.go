package programs_test

import (
	"context"
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
	"restock/infra/graph"
	"restock/lambdas"
	"restock/local/aws/lambda"
	"restock/local/mariadb/mariadbtest"
	"restock/test/await"
)

const projectDir = "../../.."

// TestMain builds the functions before the runs, which start at the same time, ask for it.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	var packages []string
	for _, f := range lambdas.All() {
		packages = append(packages, "./lambdas/"+f.Name)
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

// config is a run on free ports, with a factory that works at once.
func config(tb testing.TB) programs.Config {
	mariadbtest.Require(tb)
	c := programs.DefaultConfig(projectDir)
	c.API, c.AWS, c.Factory = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.FactoryStep = time.Millisecond
	c.Log = slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	return c
}

// A stack is a run, as its clients see it.
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
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Errorf("closing the run: %v", err)
		}
	})
	s := &stack{Run: r, Endpoints: r.Endpoints()}
	if s.db, err = sql.Open("mysql", s.DSN); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.db.Close() })
	return s
}

// checkout buys one doughnut, and returns the answer's status and body.
func (s *stack) checkout(ctx context.Context) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.API+"/checkout", nil)
	if err != nil {
		return 0, "", err
	}
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

// buy lets buyers in, many at once, and counts the answers by their status.
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
	s := start(t, config(t))
	// The delivery comes after the last refusal, however slow the buyers are.
	if err := s.Run.Factory.SetFault(factory.Fault{Hold: true}); err != nil {
		t.Fatal(err)
	}
	for want := 2; want >= 0; want-- {
		status, body, err := s.checkout(t.Context())
		if err != nil || status != 200 || !strings.Contains(body, fmt.Sprintf(`"구매 완료! 남은 재고: %d"`, want)) {
			t.Fatalf("a checkout got %d %s, %v; want a sale that leaves %d", status, body, err, want)
		}
	}
	if got := s.buy(t, 500, 16); got[http.StatusConflict] != 500 {
		t.Fatalf("500 buyers of nothing got %v, want 500 refusals", got)
	}
	if err := s.Run.Factory.SetFault(factory.Fault{}); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the lot is delivered", func() bool { return s.number(t, `SELECT stock FROM product WHERE sku = 'CP-502101'`) > 0 })

	requests := s.Run.Factory.Requests()
	if len(requests) != 1 {
		t.Fatalf("the factory was asked %d times for one shortage, want once", len(requests))
	}
	var request map[string]any
	if err := json.Unmarshal(requests[0].Body, &request); err != nil {
		t.Fatal(err)
	}
	callback := fmt.Sprint(request["CallbackUrl"])
	want := map[string]any{
		"MessageGroupId": "stock-arrival-group", "MessageAttributeProductId": "CP-502101", "MessageAttributeProductCnt": "100",
		"MessageAttributeFactoryId": "FF-500293", "MessageAttributeRequester": "stock-bot", "CallbackUrl": callback,
	}
	if fmt.Sprint(request) != fmt.Sprint(want) || !strings.HasPrefix(callback, s.API+"/production-orders/") {
		t.Errorf("the factory was asked %v, want %v with a callback to %s", request, want, s.API)
	}

	// Anybody may repeat what the factory said, and nothing comes of it.
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
	if status, body, err := s.checkout(t.Context()); err != nil || status != 200 || !strings.Contains(body, `"stock":99`) {
		t.Errorf("a checkout after the delivery got %d %s, %v; want a sale that leaves 99", status, body, err)
	}
}

func TestConcurrentBuyersThroughTheAPI(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Stage = "prod"          // which has an instance for each of them
	c.FactoryStep = time.Hour // no delivery comes in between
	s := start(t, c)
	const stock, buyers, checkouts = 300, 32, 1000
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO stock_ledger (product_id, quantity, cause, recorded_at) SELECT product_id, %d - stock, 'adjustment', UTC_TIMESTAMP(6) FROM product WHERE sku = 'CP-502101'`, stock),
		fmt.Sprintf(`UPDATE product SET stock = %d WHERE sku = 'CP-502101'`, stock),
	} {
		if _, err := s.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.buy(t, checkouts, buyers); got[200] != stock || got[409] != checkouts-stock {
		t.Errorf("%d checkouts of %d got %v, want %d sales and %d refusals", checkouts, stock, got, stock, checkouts-stock)
	}
	if sales, left, ledger := s.number(t, `SELECT COUNT(*) FROM sale`), s.number(t, `SELECT stock FROM product WHERE sku = 'CP-502101'`), s.number(t, `SELECT SUM(l.quantity) FROM stock_ledger l JOIN product p USING (product_id) WHERE p.sku = 'CP-502101'`); sales != stock || left != 0 || ledger != 0 {
		t.Errorf("%d sales are stored, stock is %d, the ledger's sum is %d; want %d, 0, 0", sales, left, ledger, stock)
	}
	// One connection an instance is the most there may be: not one a sale. ads and sweep have theirs.
	const othersAtWork = 4
	if connections := s.number(t, `SELECT COUNT(*) FROM information_schema.processlist WHERE user LIKE 'restock_restock%'`); connections < 1 || connections > buyers+othersAtWork {
		t.Errorf("%d connections are open, want 1 to %d", connections, buyers+othersAtWork)
	}
}

// impatient makes the queue give up soon: what takes minutes on AWS is seconds here. It does so once the run has started, for
// Lambda takes no queue whose visibility timeout is shorter than the function's timeout.
func (s *stack) impatient(tb testing.TB, visibilitySeconds string) {
	tb.Helper()
	url := s.queueURL("stock_queue")
	const redrivePolicy = types.QueueAttributeNameRedrivePolicy
	got, err := s.sqs().GetQueueAttributes(tb.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{redrivePolicy}})
	if err != nil {
		tb.Fatal(err)
	}
	_, err = s.sqs().SetQueueAttributes(tb.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{
		"VisibilityTimeout":   visibilitySeconds,
		string(redrivePolicy): strings.Replace(got.Attributes[string(redrivePolicy)], `"maxReceiveCount":5`, `"maxReceiveCount":2`, 1),
	}})
	if err != nil {
		tb.Fatal(err)
	}
}

func (s *stack) sqs() *sqs.Client {
	return sqs.New(sqs.Options{
		Region: "ap-northeast-2", BaseEndpoint: aws.String(s.AWS),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

func (s *stack) queueURL(name string) *string {
	return aws.String(s.AWS + "/" + graph.AccountID + "/" + name)
}

// deadLetters is how many messages lie in the dead-letter queue.
func (s *stack) deadLetters(tb testing.TB) string {
	tb.Helper()
	out, err := s.sqs().GetQueueAttributes(tb.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: s.queueURL("stock_queue_dlq"), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out.Attributes["ApproximateNumberOfMessages"]
}

func TestMessageThatTheFactoryRefusesIsTriedAgainAndEndsInTheDeadLetterQueue(t *testing.T) {
	for name, c := range map[string]struct {
		fault      factory.Fault
		visibility string // in seconds, longer than the function takes to give up
	}{
		"400":    {factory.Fault{Status: 400}, "1"},
		"500":    {factory.Fault{Status: 500}, "1"},
		"closes": {factory.Fault{Answer: factory.AnswerDisconnect}, "1"},
		"hangs":  {factory.Fault{Answer: factory.AnswerNever}, "7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, config(t))
			s.impatient(t, c.visibility)
			if err := s.Run.Factory.SetFault(c.fault); err != nil {
				t.Fatal(err)
			}
			s.buy(t, 3, 1)
			await.Until(t, "the message is in the dead-letter queue", func() bool { return s.deadLetters(t) == "1" })
			// The last attempt may outlast the visibility timeout, and so the move to the dead-letter queue.
			await.Until(t, "the factory is asked twice", func() bool { return len(s.Run.Factory.Requests()) >= 2 })
			if asked := len(s.Run.Factory.Requests()); asked != 2 {
				t.Errorf("the factory was asked %d times, want 2: as often as the message may be received", asked)
			}
		})
	}
}

func TestRecordThatIsNotAnEnvelopeFailsAlone(t *testing.T) {
	t.Parallel()
	s := start(t, config(t))
	s.impatient(t, "1")
	for _, body := range []string{"도너츠", `{"Type":"Notification","Message":"{}"}`} {
		if _, err := s.sqs().SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: s.queueURL("stock_queue"), MessageBody: aws.String(body)}); err != nil {
			t.Fatal(err)
		}
	}
	s.buy(t, 3, 1)
	await.Until(t, "the lot is delivered, for its record was good", func() bool { return s.number(t, `SELECT stock FROM product WHERE sku = 'CP-502101'`) == 100 })
	await.Until(t, "the bad records are in the dead-letter queue", func() bool { return s.deadLetters(t) == "2" })
}

func TestGivenServerIsUsed(t *testing.T) {
	t.Parallel()
	c := config(t)
	server := mariadbtest.New(t)
	c.DSN = server.FormatDSN()
	s := start(t, c)
	if status, body, err := s.checkout(t.Context()); err != nil || status != 200 {
		t.Fatalf("a checkout got %d %s, %v", status, body, err)
	}
	given, err := sql.Open("mysql", c.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer given.Close()
	var sales int
	if err := given.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM sale`).Scan(&sales); err != nil || sales != 1 {
		t.Errorf("the given server has %d sales, %v; want 1", sales, err)
	}
}

func TestClosedRunLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	r, err := programs.Start(t.Context(), config(t))
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
			t.Errorf("something still listens on %s", address)
		}
	}
}

func TestHalfARequestDoesNotHoldTheEndUp(t *testing.T) {
	t.Parallel()
	r, err := programs.Start(t.Context(), config(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.Endpoints().API, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /checkout HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("the run ended with %v", err)
	}
}

func TestRunThatLosesItsDatabaseSaysSo(t *testing.T) {
	t.Parallel()
	s := start(t, config(t))
	if _, err := s.db.ExecContext(t.Context(), "SHUTDOWN"); err != nil {
		t.Fatal(err)
	}
	if err := await.Receive(t, "somebody says that the database has ended", s.Run.Failed()); !strings.Contains(err.Error(), "MariaDB has ended") {
		t.Errorf("the run failed with %v", err)
	}
}

// set is an edit of a declared property, of the first resource of a type.
func set(token graph.Type, property string, value any) func(*programs.Config) {
	return func(c *programs.Config) {
		c.Unchecked = true // it is what the run itself says that is looked at
		c.Edit = func(g *graph.Graph) { g.OfType(token)[0].Outputs[property] = value }
	}
}

func TestWhatCannotStartSaysWhyInOneLine(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
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
		{"a busy port", func(c *programs.Config) { c.API = busy.Addr().String() }, "-api " + busy.Addr().String() + " is in use"},
		{"an address that is not loopback", func(c *programs.Config) { c.AWS = "0.0.0.0:0" }, "-aws 0.0.0.0:0 is not on loopback"},
		{"no address", func(c *programs.Config) { c.Factory = "factory" }, "-factory factory is not an address"},
		{"no stage", func(c *programs.Config) { c.Stage = "nowhere" }, `there is no stage "nowhere"`},
		{"a DSN that is none", func(c *programs.Config) { c.DSN = "localhost" }, "-dsn"},
		{"a server that is not there", func(c *programs.Config) { c.DSN = "root@tcp(127.0.0.1:1)/" }, "127.0.0.1:1"},
		{"a function for another runtime", set(graph.Function, "runtime", "nodejs18.x"), `runtime "nodejs18.x" with handler "bootstrap"`},
		{"a queue less patient than its function", set(graph.Queue, "visibilityTimeoutSeconds", 1.0), "visibility timeout is 1s, less than the function's timeout of 10s"},
		{"a schedule that is off", set(graph.EventRule, "state", "DISABLED"), "EventRule ads: state is DISABLED, which is not run here"},
		{"events in another format", set(graph.APIIntegration, "payloadFormatVersion", "1.0"), `payload format "1.0": the handlers take AWS_PROXY with 2.0`},
		{"a stage that nothing is deployed to", set(graph.APIStage, "autoDeploy", false), "stage shop: autoDeploy is not on"},
		{"a subscription of another protocol", set(graph.TopicSubscription, "protocol", "https"), "subscription ads_queue: https from topic"},
		{"a program that does not build", func(c *programs.Config) { c.ProjectDir, c.BuildDir = broken, t.TempDir() }, "build"},
	} {
		t.Run(c.name, func(t *testing.T) {
			configuration := config(t)
			c.edit(&configuration)
			r, err := programs.Start(t.Context(), configuration)
			if err == nil {
				r.Close()
				t.Fatal("it started")
			}
			if first, _, _ := strings.Cut(err.Error(), "\n"); !strings.Contains(first, c.want) {
				t.Errorf("got %q, want a first line that says %q", err, c.want)
			}
		})
	}
}
