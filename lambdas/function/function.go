// Package function is what the functions' mains share: the way from a process to a handler.
package function

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"restock/internal/mysql"
	"restock/internal/secrets"
	"restock/lambdas"
)

// A Process is what a handler is wired from. E is the environment that the function declares.
type Process[E any] struct {
	Environment E
	AWS         aws.Config
	Log         *slog.Logger
}

// Start wires a handler, in any form that lambda.Start takes, and serves invocations with it. It does not return: a handler that
// cannot be wired ends the process with a log line that says why.
func Start[E any](wire func(Process[E]) (handler any, err error)) {
	log := slog.New(correlated{lambdacontext.NewLogHandler()})
	// What the Lambda library itself logs, which are errors and panics of handlers, are lines like ours.
	slog.SetLogLoggerLevel(slog.LevelError)
	slog.SetDefault(log)
	handler, err := load(log, wire)
	if err != nil {
		log.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func load[E any](log *slog.Logger, wire func(Process[E]) (any, error)) (any, error) {
	environment, err := lambdas.Environment[E]()
	if err != nil {
		return nil, err
	}
	aws, err := awsConfig()
	if err != nil {
		return nil, err
	}
	return wire(Process[E]{environment, aws, log})
}

// OpenStore opens the shop's data as the functions' database user.
func OpenStore(c aws.Config, d lambdas.Database) (*mysql.Store, error) {
	login := secrets.New[secrets.Login](secretsmanager.NewFromConfig(c), d.Secret)
	db, err := mysql.Open(mysql.Config{
		Host: d.Host, Port: d.Port, Name: d.Name,
		Credentials:    secrets.Credentials(login),
		MaxConnections: lambdas.DatabaseConnections,
	})
	if err != nil {
		return nil, err
	}
	return mysql.NewStore(db), nil
}
