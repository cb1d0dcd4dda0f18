package run

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"restock/infra/graph"
	"restock/local/aws/secretsmanager"
	"restock/local/aws/standin"
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

// databases returns the stand-in for RDS: MariaDB itself. Like RDS, it creates the secret of the
// administrator.
func (r *Run) databases(s *services) standin.StandIn {
	parameters := &parameterGroups{}
	var database *database
	return standin.StandIn{
		Service: "rds", Types: []graph.Type{
			graph.Database, graph.ParameterGroup, graph.SubnetGroup, graph.Proxy, graph.ProxyTarget,
		},
		Deployed: func(ctx context.Context, resource *graph.Resource) (err error) {
			switch resource.Type {
			case graph.ParameterGroup:
				parameters.add(resource)
			case graph.Proxy:
				// Another spelling of the database's address, so that the console can tell
				// connections through the proxy from direct ones.
				resource.Outputs["endpoint"] = "localhost"
			case graph.Database:
				database, err = r.startDatabase(ctx, resource, parameters.of(resource))
			}
			return err
		},
		Create: func(*graph.Graph) error {
			if database == nil {
				return nil
			}
			value, err := json.Marshal(map[string]string{"username": database.user, "password": database.password})
			if err != nil {
				return fmt.Errorf("writing the database administrator's secret: %w", err)
			}
			return s.secrets.Create(secretsmanager.SecretConfig{
				Name: secretName(database.secretARN), ARN: database.secretARN,
				Description: "The database's administrator", Value: string(value),
			})
		},
	}
}

// secretName returns the name in a secret's ARN. The ARN ends with a hyphen and six random
// characters.
func secretName(arn string) string {
	name := arn[strings.LastIndex(arn, ":")+1:]
	return name[:max(strings.LastIndex(name, "-"), 0)]
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
const connectTimeout = 30 * time.Second

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

// parameterGroups are the parameters of the database, by the name of their group. A sync.Map,
// because Pulumi registers resources concurrently.
type parameterGroups struct{ byName sync.Map }

func (g *parameterGroups) add(group *graph.Resource) {
	values := map[string]string{}
	list, _ := group.Outputs["parameters"].([]any)
	for _, p := range list {
		if parameter, ok := p.(map[string]any); ok {
			values[fmt.Sprint(parameter["name"])] = fmt.Sprint(parameter["value"])
		}
	}
	g.byName.Store(group.String("name"), values)
}

func (g *parameterGroups) of(instance *graph.Resource) map[string]string {
	values, _ := g.byName.Load(instance.String("parameterGroupName"))
	parameters, _ := values.(map[string]string)
	return maps.Clone(parameters)
}
