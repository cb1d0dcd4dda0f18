// Package function starts the Lambda functions. It sets up what all handlers need: the environment,
// the AWS clients, the log, the store and the shop.
package function

import (
	"context"
	"database/sql/driver"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"restock/internal/mysql"
	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/internal/sns"
	"restock/internal/xray"
	"restock/lambdas"
	"restock/lambdas/journal"
)

// A Process has what a handler needs. E is the environment that the function declares.
type Process[E any] struct {
	Environment E
	AWS         aws.Config
	Log         *slog.Logger

	warm     *warmUp        // what runs before the first invocation
	recorder *xray.Recorder // nil: the function records no traces
}

// Start makes a handler with newHandler, and serves invocations with it. The handler may have any
// form that lambda.Start accepts. The handler's context ends shortly before the function's
// deadline. See [InTime].
//
// Before the first invocation, Start warms the instance up, so that the first buyer waits less. It
// reads the secrets and connects to the database that the handler uses. If the handler has a method
// HarmlessEvent() []byte, Start also calls the handler with that event, which changes nothing. If
// the warm-up fails, the instance starts anyway, and the first invocation does the work.
//
// Start does not return. If newHandler fails, Start logs the error and ends the process.
func Start[E any](newHandler func(Process[E]) (handler any, err error)) {
	log := slog.New(correlated{lambdacontext.NewLogHandler()})
	// The Lambda library logs with package log, and logs only errors and panics of handlers.
	slog.SetLogLoggerLevel(slog.LevelError)
	slog.SetDefault(log)
	handler, err := load(log, warmTimeout, newHandler)
	if err != nil {
		log.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(inTime{handler})
}

func load[E any](
	log *slog.Logger, warmTimeout time.Duration, newHandler func(Process[E]) (any, error),
) (lambda.Handler, error) {
	environment, err := lambdas.Environment[E]()
	if err != nil {
		return nil, err
	}
	aws, err := awsConfig()
	if err != nil {
		return nil, err
	}
	var recorder *xray.Recorder
	if traced, ok := any(environment).(interface{ Traced() bool }); ok && traced.Traced() {
		if recorder, err = xray.Open(); err != nil {
			log.Warn("the function records no traces", "error", err) // it still has to serve
		} else {
			aws.APIOptions = append(aws.APIOptions, recorder.AWS)
		}
	}
	warm := &warmUp{timeout: warmTimeout}
	made, err := newHandler(Process[E]{environment, aws, log, warm, recorder})
	if err != nil {
		return nil, err
	}
	handler := lambda.NewHandler(made)
	if h, ok := made.(interface{ HarmlessEvent() []byte }); ok {
		warm.add(func(ctx context.Context) error {
			_, err := handler.Invoke(ctx, h.HarmlessEvent())
			return err
		})
	}
	warm.run(log)
	return handler, nil
}

// Shop opens the shop with its store, publisher and journal. The store also reports buyers who wait
// for each other: see waits.
func (p Process[E]) Shop(e lambdas.Shop) (*shop.Shop, error) {
	store, err := p.Store(e.Database)
	if err != nil {
		return nil, err
	}
	publisher := sns.Publisher{Client: awssns.NewFromConfig(p.AWS), TopicARN: e.StockEmptyTopic}
	j := p.Journal(e.Journal)
	watched := &waits{Store: store, recorder: store, journal: j, now: time.Now, looked: map[string]time.Time{}}
	return shop.Open(watched, publisher, j), nil
}

// Store opens the shop's data as the functions' database user.
func (p Process[E]) Store(d lambdas.Database) (*mysql.Store, error) {
	login := secrets.New[secrets.Login](secretsmanager.NewFromConfig(p.AWS), d.Secret)
	config := mysql.Config{
		Host: d.Host, Port: d.Port, Name: d.Name,
		Credentials:    secrets.Credentials(login),
		MaxConnections: lambdas.DatabaseConnections,
	}
	if p.recorder != nil {
		config.Wrap = func(c driver.Connector) driver.Connector { return p.recorder.Connector(c, d.Name+"@"+d.Host) }
	}
	db, err := mysql.Open(config)
	if err != nil {
		return nil, err
	}
	store := mysql.NewStore(db)
	p.warm.add(store.Connect)
	return store, nil
}

// Journal returns the journal that writes to the function's log.
func (p Process[E]) Journal(j lambdas.Journal) journal.Journal {
	return journal.New(p.Log, j.Namespace)
}

// Transport returns the transport for requests to other servers than AWS's: nil, unless the
// function records traces.
func (p Process[E]) Transport() http.RoundTripper {
	if p.recorder == nil {
		return nil // not a nil *Recorder, which would not be nil in the interface
	}
	return p.recorder.Transport()
}

// CallbackKeys returns the keys that sign callback URLs, from a secret.
func (p Process[E]) CallbackKeys(secretARN string) *secrets.CallbackKeys {
	keys := secrets.NewCallbackKeys(secretsmanager.NewFromConfig(p.AWS), secretARN, p.Log, time.Now)
	p.warm.add(func(ctx context.Context) error {
		_, err := keys.Current(ctx)
		return err
	})
	return keys
}
