package run

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"

	"restock/infra/graph"
	"restock/local/mariadb"
	"restock/local/view/events"
	"restock/local/view/progress"
)

// The driver logs broken connections to standard error in a format of its own, for example at the
// end of a run. Its errors say the same. The driver's logger is a global variable without a lock,
// so this init function sets it before anything runs.
func init() { _ = mysql.SetLogger(&mysql.NopLogger{}) } // fails only on nil

// A database is the stand-in for the RDS instance: a private server, or the server of Config.DSN.
type database struct {
	user, password string
	secretARN      string // of the administrator's secret, which RDS creates
}

// startDatabase starts the declared database, or connects to the server of Config.DSN, and sets the
// outputs of the instance to its address. Like RDS, it creates the instance's first database.
func (r *Run) startDatabase(ctx context.Context, instance *graph.Resource,
	parameters map[string]string) (*database, error) {
	config, err := r.databaseServer(ctx, parameters)
	if err != nil {
		return nil, err
	}
	if config.DBName == "" {
		config.DBName = instance.String("dbName")
	}
	if err := createDatabase(ctx, config); err != nil {
		return nil, err
	}
	secretARN, err := masterSecretARN(instance)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(config.Addr)
	if err != nil {
		return nil, fmt.Errorf("-dsn: the address %q has no port: %w", config.Addr, err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("-dsn: the port of %q is not a number", config.Addr)
	}
	instance.Outputs["address"], instance.Outputs["port"] = host, float64(number)
	instance.Outputs["dbName"] = config.DBName
	r.dsn = config.FormatDSN()
	return &database{user: config.User, password: config.Passwd, secretARN: secretARN}, nil
}

func masterSecretARN(instance *graph.Resource) (string, error) {
	secrets, _ := instance.Outputs["masterUserSecrets"].([]any)
	for _, s := range secrets {
		if secret, ok := s.(map[string]any); ok {
			return fmt.Sprint(secret["secretArn"]), nil
		}
	}
	return "", fmt.Errorf("database %s: manageMasterUserPassword is not on: RDS would not create a secret for the "+
		"administrator", instance.Name)
}

// databaseServer returns the run's server: its administrator and its address.
func (r *Run) databaseServer(ctx context.Context, parameters map[string]string) (*mysql.Config, error) {
	if r.config.DSN != "" {
		config, err := mysql.ParseDSN(r.config.DSN)
		if err != nil {
			return nil, fmt.Errorf("-dsn: %w; it looks like root:password@tcp(127.0.0.1:3306)/", err)
		}
		if config.Net != "tcp" {
			return nil, fmt.Errorf("-dsn: the functions connect by tcp, not by %s; it looks like "+
				"root:password@tcp(127.0.0.1:3306)/", config.Net)
		}
		return config, nil
	}
	server, err := r.startServer(ctx, parameters)
	if err != nil {
		return nil, err
	}
	r.onClose("database", func(context.Context) error { return server.Stop() })
	go func() {
		select {
		case <-r.closing:
		case <-server.Done():
			r.failed <- errors.New("MariaDB has ended by itself: start the run again")
		}
	}()
	return server.Admin(), nil
}

// startServer starts a private server. With Config.Data, it uses the data of the run before.
func (r *Run) startServer(ctx context.Context, parameters map[string]string) (*mariadb.Server, error) {
	log := r.config.Log.With("part", "mariadb")
	config := mariadb.Config{Args: serverArgs(parameters), Log: log}
	if r.config.Data != "" {
		config.Dir = filepath.Join(r.config.Data, r.config.Program.Name+"-"+r.config.Stage)
	}
	step := progress.Begin(log, events.DatabaseStarting, "starting MariaDB")
	server, err := mariadb.Start(ctx, config)
	step.End(err)
	if errors.Is(err, mariadb.ErrData) {
		return nil, fmt.Errorf("%w: `make reset DATA=%s` forgets them", err, r.config.Data)
	}
	return server, err
}

// serverArgs returns the declared parameters as arguments of the server. It leaves out the one that
// requires TLS: over loopback, the functions connect without TLS (see package internal/mysql).
func serverArgs(parameters map[string]string) []string {
	delete(parameters, "require_secure_transport")
	var args []string
	for name, value := range parameters {
		args = append(args, fmt.Sprintf("--%s=%s", name, value))
	}
	slices.Sort(args)
	return args
}

// connectTimeout is how long the server of Config.DSN may take to answer.
const connectTimeout = 5 * time.Second

func createDatabase(ctx context.Context, config *mysql.Config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout,
		fmt.Errorf("it did not answer within %v: is it a MySQL or MariaDB server?", connectTimeout))
	defer cancel()
	server := config.Clone()
	server.DBName = ""
	connector, err := mysql.NewConnector(server)
	if err != nil {
		return fmt.Errorf("connecting to the database server at %s: %w", config.Addr, err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS `"+config.DBName+"`"); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("creating database %s on the server at %s: %w", config.DBName, config.Addr, err)
	}
	return nil
}
