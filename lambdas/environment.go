package lambdas

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Each field of an environment declares a variable in one line:
//
//	env    the variable's name
//	from   its source: a kind of resource of the stack, a dot, and a name or a property
//	grant  what the function may do with that resource: verbs, separated by commas
//	call   "internet" if the value is the URL of a server on the Internet that the function calls
//
// A variable with a default, envDefault, is not set in a stage that lacks its source.
//
// A function gets the ARN of a secret or a topic only from such a line, together with its
// permission.

// A Tracing says whether a function records what it does: see package internal/xray.
type Tracing struct {
	On bool `env:"TRACING" envDefault:"false" from:"config.tracing"`
}

// Traced reports whether the function records what it does.
func (t Tracing) Traced() bool { return t.On }

// A Database is what a function needs to open the shop's database as the functions' own user.
type Database struct {
	Host   string `env:"DATABASE_HOST" from:"database.host"`
	Port   int    `env:"DATABASE_PORT" from:"database.port"`
	Name   string `env:"DATABASE_NAME" from:"database.name"`
	Secret string `env:"DATABASE_SECRET" from:"secret.database" grant:"read"`
}

// A Journal names the namespace of a function's metrics.
type Journal struct {
	Namespace string `env:"METRICS_NAMESPACE" from:"config.metricsNamespace"`
}

// A Shop is what a function needs to change the stock. Each change may open a production order,
// which the function publishes.
type Shop struct {
	Database
	Journal
	StockEmptyTopic string `env:"STOCK_EMPTY_TOPIC" from:"topic.stock_empty" grant:"publish"`
}

// SalesAPIEnvironment is the environment of sales-api.
type SalesAPIEnvironment struct {
	Tracing
	Shop
}

// MerchantAPIEnvironment is the environment of merchant-api.
type MerchantAPIEnvironment struct {
	Tracing
	Shop
	// FactoryLeadTime is the default lead time of new products.
	FactoryLeadTime time.Duration `env:"FACTORY_LEAD_TIME" from:"config.factoryLeadTime"`
}

// StockEnvironment is the environment of stock.
type StockEnvironment struct {
	Tracing
	Journal
	FactoryURL  string `env:"FACTORY_URL" from:"config.factoryUrl" call:"internet"`
	APIURL      string `env:"API_URL" from:"api.url"`
	CallbackKey string `env:"CALLBACK_KEY_SECRET" from:"secret.callback-key" grant:"read"`
}

// StockIncreaseEnvironment is the environment of stock-increase. If a delivery does not bring
// enough, the next production order opens.
type StockIncreaseEnvironment struct {
	Tracing
	Shop
	CallbackKey string `env:"CALLBACK_KEY_SECRET" from:"secret.callback-key" grant:"read"`
}

// AdsEnvironment is the environment of ads. Managers of advertisements subscribe to the topic by
// email.
type AdsEnvironment struct {
	Tracing
	Database
	OperationsTopic string `env:"STOCK_OPERATIONS_TOPIC" from:"topic.stock_operations" grant:"publish"`
}

// SweepEnvironment is the environment of sweep.
type SweepEnvironment struct {
	Tracing
	Shop
	OperationsTopic string `env:"STOCK_OPERATIONS_TOPIC" from:"topic.stock_operations" grant:"publish"`
}

// FactoryEnvironment is the environment of factory.
type FactoryEnvironment struct {
	Tracing
	APIURL string `env:"API_URL" from:"api.url" call:"internet"`
	Queue  string `env:"FACTORY_QUEUE" from:"queue.factory_queue" grant:"send"`
}

// SetupEnvironment is the environment of setup, the only function that uses the database's master
// user and writes secrets.
type SetupEnvironment struct {
	// Host is the database itself. A proxy does not accept the master user.
	Host        string `env:"DATABASE_HOST" from:"database.instance"`
	Port        int    `env:"DATABASE_PORT" from:"database.port"`
	Name        string `env:"DATABASE_NAME" from:"database.name"`
	AdminSecret string `env:"DATABASE_ADMIN_SECRET" from:"secret.database-admin" grant:"read"`
	Secret      string `env:"DATABASE_SECRET" from:"secret.database" grant:"read,write,rotate"`
	CallbackKey string `env:"CALLBACK_KEY_SECRET" from:"secret.callback-key" grant:"read,write"`
	// Catalogue is the name of the catalogue that a new database gets.
	Catalogue string `env:"CATALOGUE" from:"config.catalogue"`
	// Behind a proxy, these are the secrets of the functions' two users. The proxy accepts a user
	// whose secret it has.
	ProxyFirst  string `env:"PROXY_SECRET_FIRST" envDefault:"" from:"secret.proxy-first" grant:"read,write"`
	ProxySecond string `env:"PROXY_SECRET_SECOND" envDefault:"" from:"secret.proxy-second" grant:"read,write"`
}

// Environment decodes the process's environment into the struct of a function. If a variable is
// missing, empty or of the wrong type, the error names it.
func Environment[T any]() (T, error) {
	e, err := env.ParseAsWithOptions[T](env.Options{RequiredIfNoDef: true})
	var unparsable env.ParseError // names the field, not the variable
	errors.As(err, &unparsable)
	for _, v := range Variables(e) {
		if unparsable.Name != "" && v.field == unparsable.Name {
			return e, fmt.Errorf("reading the environment: %s: %w", v.Name, unparsable)
		}
		if err == nil && v.value == "" && !v.Optional {
			return e, fmt.Errorf("reading the environment: %s is empty", v.Name)
		}
	}
	if err != nil {
		return e, fmt.Errorf("reading the environment: %w", err)
	}
	return e, nil
}

// A Variable is an environment variable of a function.
type Variable struct {
	Name     string
	Thing    string   // the kind of resource that provides the value, for example "secret"
	Which    string   // the resource or the property, for example "database"
	Grants   []string // verbs, for example "read", "write", "publish"
	Optional bool     // a stage may lack its source
	// Internet is true if the value is the URL of a server on the Internet that the function calls.
	Internet bool

	field, value string
	kind         reflect.Type
}

// Parse returns an error if the function could not decode a value of the variable.
func (v Variable) Parse(value string) error {
	one := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: v.field, Type: v.kind, Tag: reflect.StructTag(fmt.Sprintf("env:%q", v.Name)),
	}}))
	var unparsable env.ParseError
	err := env.ParseWithOptions(one.Interface(), env.Options{Environment: map[string]string{v.Name: value}})
	if errors.As(err, &unparsable) {
		return unparsable.Err
	}
	return err
}

// From returns the variable's source as declared, for example "secret.database".
func (v Variable) From() string { return v.Thing + "." + v.Which }

// Variables lists the variables of an environment struct, including those of embedded structs.
func Variables(environment any) []Variable {
	var variables []Variable
	v := reflect.ValueOf(environment)
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			variables = append(variables, Variables(v.Field(i).Interface())...)
			continue
		}
		thing, which, _ := strings.Cut(field.Tag.Get("from"), ".")
		variable := Variable{
			Name: field.Tag.Get("env"), Thing: thing, Which: which,
			Internet: field.Tag.Get("call") == "internet",
			field:    field.Name, value: fmt.Sprint(v.Field(i).Interface()), kind: field.Type,
		}
		_, variable.Optional = field.Tag.Lookup("envDefault")
		if grants := field.Tag.Get("grant"); grants != "" {
			variable.Grants = strings.Split(grants, ",")
		}
		variables = append(variables, variable)
	}
	return variables
}

// Uses reports whether the function has a variable from a kind of resource.
func (f Function) Uses(thing string) bool {
	for _, v := range Variables(f.Environment) {
		if v.Thing == thing {
			return true
		}
	}
	return false
}

// Validate returns an error for each part of the declaration that cannot be deployed.
func (f Function) Validate() error {
	var errs []error
	if f.Queue != "" && (f.Concurrency < 2 || f.Concurrency > 1000) {
		errs = append(errs, fmt.Errorf("concurrency is %d: an event source takes 2 to 1000", f.Concurrency))
	}
	if f.Queue == "" && (f.Topic != "" || len(f.Buffered) > 0) {
		errs = append(errs, errors.New("a topic, or buffered routes, but no queue for their messages"))
	}
	if f.Filter != nil && f.Topic == "" {
		errs = append(errs, errors.New("a filter, but no topic whose messages it selects"))
	}
	if len(f.Buffered) > 0 && len(f.Routes) == 0 {
		errs = append(errs, errors.New("buffered, but no routes"))
	}
	// The handler decodes the environment with the function's name.
	environment := reflect.TypeOf(f.Environment).Name()
	if want := strings.ReplaceAll(f.Name, "-", "") + "Environment"; !strings.EqualFold(environment, want) {
		errs = append(errs, fmt.Errorf("its Environment is %s, and not its own: its handler exits at its start",
			environment))
	}
	for _, v := range Variables(f.Environment) {
		if v.Name == "" || v.Which == "" {
			errs = append(errs, fmt.Errorf("variable %q from %q: it needs both env and from", v.Name, v.From()))
		}
		// A function needs the ARN of a secret or a topic only to call it.
		if (v.Thing == "secret" || v.Thing == "topic") && len(v.Grants) == 0 {
			errs = append(errs, fmt.Errorf("variable %s from %q grants nothing: AWS would deny every call; "+
				"add a grant beside it in lambdas/environment.go", v.Name, v.From()))
		}
	}
	isNamed := func(t Topic) bool { return t.Name == f.Topic }
	if f.Topic != "" && !slices.ContainsFunc(Topics(), isNamed) {
		errs = append(errs, fmt.Errorf("its topic is %q: lambdas/topics.go has no such topic", f.Topic))
	}
	if f.Every%time.Minute != 0 {
		errs = append(errs, fmt.Errorf("its schedule is every %v: EventBridge takes whole minutes", f.Every))
	}
	if f.Timeout < time.Second || f.Timeout > 15*time.Minute || f.Timeout%time.Second != 0 {
		errs = append(errs, fmt.Errorf("its timeout is %v: Lambda takes whole seconds from 1 s to 15 minutes",
			f.Timeout))
	}
	all := Variables(f.Environment)
	n := slices.IndexFunc(all, func(v Variable) bool { return v.Thing == "database" })
	if n >= 0 && f.Network != Private {
		errs = append(errs, fmt.Errorf("variable %s is from %q, and the function is outside the private network: "+
			"set Network to Private in lambdas/lambdas.go, or give the variable another source in "+
			"lambdas/environment.go", all[n].Name, all[n].From()))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("function %s: %w", f.Name, err)
	}
	return nil
}
