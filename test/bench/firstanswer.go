package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-sql-driver/mysql"

	"restock/internal/mysql/migrate"
	"restock/lambdas"
	"restock/local/mariadb"
	"restock/local/system/loopback"
	"restock/local/system/process"
	"restock/test/fixture"
	"restock/test/load"
)

const (
	freshInstances     = 30
	warmAnswers        = 12 // of each instance, after the first one
	unsettledAnswers   = 4  // of these, the first ones, which do not count
	firstAnswerTimeout = time.Minute
	firstAnswerSKU     = "first-answer"
)

// measureFirstAnswers compares the first answer of a fresh instance of sales-api with warm answers
// of the same process. The Runtime API, the database and Secrets Manager are on loopback, without
// TLS.
func (b *bench) measureFirstAnswers(ctx context.Context, function process.Config) (rows []result, err error) {
	db, err := startShopDatabase(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.stop()) }()
	listener, err := loopback.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	vault := &http.Server{ReadHeaderTimeout: coldStartTimeout, Handler: db.login}
	go func() { _ = listener.Serve(vault, nil, slog.New(slog.DiscardHandler)) }() // Close ends it
	defer vault.Close()
	function.Env = append(function.Env, "AWS_ENDPOINT_URL="+listener.URL(), "DATABASE_HOST="+db.host,
		"DATABASE_PORT="+db.port, "DATABASE_NAME="+firstAnswerDatabase)
	limit := newShare(lambdas.SalesAPI.MemoryMB)
	defer func() { err = errors.Join(err, limit.remove()) }()
	for _, event := range []events.APIGatewayV2HTTPRequest{
		requestOf("GET", "/products", ""),
		requestOf("POST", "/checkout", fmt.Sprintf(`{"sku":%q,"quantity":1}`, firstAnswerSKU)),
	} {
		text, err := json.Marshal(event)
		if err != nil {
			return nil, err
		}
		measured, err := firstAnswers(ctx, function, limit, string(text))
		if err != nil {
			return nil, fmt.Errorf("measuring the first answer to %s: %w", event.RouteKey, err)
		}
		for _, r := range measured {
			r.What += ", " + event.RouteKey
			rows = append(rows, r)
		}
		b.step()
	}
	return rows, nil
}

// firstAnswers measures the time and the instructions of the answers to an event.
func firstAnswers(ctx context.Context, function process.Config, limit *share, event string) ([]result, error) {
	var first, warm, ratios []float64
	for range freshInstances {
		f, w, err := firstAndWarm(ctx, function, limit, event)
		if err != nil {
			return nil, err
		}
		first, warm, ratios = append(first, f), append(warm, w), append(ratios, f/w)
	}
	took := result{
		What: "sales-api, the first answer for each warm one", Value: median(ratios), Unit: "×", Goal: atMost(3),
		Note: fmt.Sprintf("middle half %s; first %s, warm %s; %s",
			middleHalf(ratios, "×"), middleHalf(first, "ms"), middleHalf(warm, "ms"), limit),
	}
	f, w, err := instructionsLeft(ctx, function, event)
	if errors.Is(err, exec.ErrNotFound) {
		fmt.Fprint(os.Stderr, "\nthe instructions of the first answer are not counted: install valgrind\n")
		return []result{took}, nil
	}
	return []result{took, {
		What: "its instructions for each one of a warm one", Value: f / w, Unit: "×",
		Note: fmt.Sprintf("%.2f and %.2f million", f/1e6, w/1e6),
	}}, err
}

// middleHalf shows the quartiles of values.
func middleHalf(values []float64, unit string) string {
	return fmt.Sprintf("%s to %s", shown(load.Percentile(values, 25), unit), shown(load.Percentile(values, 75), unit))
}

// requestOf returns the event of a buyer's request.
func requestOf(method, path, body string) events.APIGatewayV2HTTPRequest {
	r := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: method + " " + path, RawPath: path, Body: body,
		Headers: map[string]string{
			"accept": "*/*", "content-type": "application/json", "host": "shop.example", "user-agent": "curl/8",
			"x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https",
		},
	}
	r.RequestContext.RequestID, r.RequestContext.Stage = "JKJaXmPLvHcESHA=", "$default"
	r.RequestContext.HTTP.Method, r.RequestContext.HTTP.Path = method, path
	r.RequestContext.HTTP.SourceIP = "192.0.2.1"
	return r
}

// firstAndWarm starts an instance and returns the time of its first answer and the median of its
// warm answers, in ms. The processor is limited from the first poll on, as Lambda limits it.
func firstAndWarm(
	ctx context.Context, function process.Config, limit *share, event string,
) (first, warm float64, err error) {
	i, err := startInstance(function)
	if err != nil {
		return 0, 0, err
	}
	defer i.close()
	if _, err := i.poll(ctx); err != nil {
		return 0, 0, err
	}
	if err := limit.add(i.PID()); err != nil {
		return 0, 0, err
	}
	var took []float64
	for range 1 + warmAnswers {
		limit.refill()
		a, err := i.invoke(ctx, event)
		if err == nil {
			err = a.mustBeOK()
		}
		if err == nil {
			_, err = i.poll(ctx)
		}
		if err != nil {
			return 0, 0, err
		}
		took = append(took, milliseconds(a.took))
	}
	return took[0], median(took[1+unsettledAnswers:]), nil
}

func (a answer) mustBeOK() error {
	var got events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || got.StatusCode != http.StatusOK {
		return fmt.Errorf("the function answered %s, want status 200", a.body)
	}
	return nil
}

// collected is the line in which callgrind reports the number of instructions of a whole process.
var collected = regexp.MustCompile(`Collected : (\d+)`)

// instructionsLeft counts the instructions of the first answer after the first poll, and those of
// the fifth: the differences between processes that give 0, 1, 4 and 5 answers and then end.
func instructionsLeft(
	ctx context.Context, function process.Config, event string,
) (first, warm float64, err error) {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		return 0, 0, err
	}
	count := func(answers int) (float64, error) {
		i, err := startInstance(process.Config{
			Path: valgrind, Args: []string{"--tool=callgrind", "--callgrind-out-file=/dev/null", function.Path},
			// Valgrind supports neither the signals with which the Go runtime preempts goroutines
			// nor the instruction RDTSCP.
			Env: append(function.Env, "GODEBUG=asyncpreemptoff=1,cpu.rdtscp=off"),
		})
		if err != nil {
			return 0, err
		}
		defer i.close()
		for range answers {
			if _, err := i.poll(ctx); err != nil {
				return 0, err
			}
			a, err := i.invoke(ctx, event)
			if err == nil {
				err = a.mustBeOK()
			}
			if err != nil {
				return 0, err
			}
		}
		if _, err := i.poll(ctx); err != nil {
			return 0, err
		}
		i.events <- ""
		if _, err := await(ctx, i, i.Done(), "ended"); err != nil && !i.Exited() {
			return 0, err
		}
		found := collected.FindStringSubmatch(i.output())
		if found == nil {
			return 0, fmt.Errorf("callgrind reported no number: %s", i.output())
		}
		return strconv.ParseFloat(found[1], 64)
	}
	var counts [4]float64
	for i, answers := range []int{0, 1, 4, 5} {
		if counts[i], err = count(answers); err != nil {
			return first, warm, err
		}
	}
	return counts[1] - counts[0], counts[3] - counts[2], nil
}

const firstAnswerDatabase = "shop"

// A shopDatabase is a private database with the schema and a product.
type shopDatabase struct {
	host, port string
	login      http.HandlerFunc // a Secrets Manager with the login of the functions
	stop       func() error
}

func startShopDatabase(ctx context.Context) (db shopDatabase, err error) {
	server, err := mariadb.Start(ctx, mariadb.Config{})
	if err != nil {
		return db, err
	}
	const user, password = "functions", "the password of the functions"
	err = createShop(ctx, server.Admin(), user, password)
	if err == nil {
		db.host, db.port, err = net.SplitHostPort(server.Admin().Addr)
	}
	if err != nil {
		return db, errors.Join(err, server.Stop())
	}
	db.stop = server.Stop
	db.login = func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"SecretString": fmt.Sprintf(`{"username":%q,"password":%q}`, user, password),
		})
	}
	return db, nil
}

func createShop(ctx context.Context, admin *mysql.Config, user, password string) error {
	open := func(database string) (*sql.DB, error) {
		c := admin.Clone()
		c.DBName, c.ParseTime = database, true
		connector, err := mysql.NewConnector(c)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(connector), nil
	}
	server, err := open("")
	if err != nil {
		return err
	}
	defer server.Close()
	if _, err := server.ExecContext(ctx, "CREATE DATABASE "+firstAnswerDatabase); err != nil {
		return err
	}
	db, err := open(firstAnswerDatabase)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := migrate.Up(ctx, db); err != nil {
		return err
	}
	if err := fixture.Fill(ctx, db); err != nil {
		return err
	}
	if err := migrate.User(ctx, db, user, password); err != nil {
		return err
	}
	return fixture.Put(ctx, db, fixture.Product{
		SKU: firstAnswerSKU, Stock: 1 << 20, OrderUpTo: 100, LotSize: 100, LeadTime: time.Minute,
	})
}
