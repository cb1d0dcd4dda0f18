package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/forward"
	"restock/local/aws/lambda"
	"restock/local/aws/standin"
	"restock/local/system/process"
	"restock/local/view/events"
	"restock/local/view/progress"
)

// forwards returns the stand-ins of the services whose calls the AWS endpoint passes on: those with
// an address in the configuration, and those that the program declares a resource of. served has
// the services that the run has stand-ins for: it passes no calls of these on.
func (r *Run) forwards(ctx context.Context, g *graph.Graph, served map[string]string) []standin.StandIn {
	addresses := maps.Clone(r.config.Services)
	maps.DeleteFunc(addresses, func(service, _ string) bool {
		if served[service] == "" {
			return false
		}
		r.config.Log.Warn("-service is ignored: the run has a stand-in for the service", "service", service)
		return true
	})
	var standIns []standin.StandIn
	add := func(m forward.Model, e *forward.Emulator) {
		standIns = append(standIns, m.StandIn(forward.Config{
			Context: ctx, Emulator: e, Region: g.Region, Unchecked: r.config.Unchecked,
			Log: r.config.Log.With("part", "aws"),
		}))
	}
	at := func(service, address string) *forward.Emulator {
		return forward.NewEmulator("the emulator of "+service+" at "+redacted(address),
			func() (string, error) { return address, nil })
	}
	started := false
	kumo := forward.NewEmulator("kumo", func() (string, error) { return r.startKumo(ctx, g.Region) })
	for _, m := range forward.Models() {
		if served[m.Service] != "" {
			continue
		}
		address := cmp.Or(addresses[m.Service], r.config.Emulators[awsapi.EndpointVariable(m.Service)])
		delete(addresses, m.Service)
		if address != "" {
			add(m, at(m.Service, address))
		} else if m.Declared(g) && (!m.Beside || started) {
			started = true
			add(m, kumo)
		}
	}
	for _, service := range slices.Sorted(maps.Keys(addresses)) {
		add(forward.Unknown(service), at(service, addresses[service]))
	}
	return standIns
}

// emulatorModule is the module of the emulator, which has the command kumo. It lies beside this
// package, also if the run is for a program of another module.
func emulatorModule() (dir string, err error) {
	_, file, _, _ := runtime.Caller(0)
	dir = filepath.Join(filepath.Dir(filepath.Dir(file)), "emulator")
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return "", fmt.Errorf("the sources of the emulator are not there (use -service): %w", err)
	}
	return dir, nil
}

// startKumo builds and starts the emulator kumo, and returns its URL. It keeps its data in memory.
func (r *Run) startKumo(ctx context.Context, region string) (address string, err error) {
	log := r.config.Log.With("part", "aws")
	step := progress.Begin(log, events.EmulatorStarting, "building and starting the emulator kumo")
	defer func() { step.End(err) }()
	dir, err := emulatorModule()
	if err != nil {
		return "", err
	}
	if !r.config.Built {
		if err := lambda.Build(ctx, dir, r.config.BuildDir, "./kumo"); err != nil {
			return "", err
		}
	}
	first := make(chan string, 1)
	p, err := process.Start(process.Config{
		Path: filepath.Join(r.config.BuildDir, "kumo"),
		Env:  []string{"AWS_DEFAULT_REGION=" + region}, // the region in its ARNs
		Stdout: func(line string) {
			select {
			case first <- line:
			default:
			}
		},
		Stderr: func(line string) { log.Warn(line, "emulator", "kumo") },
	})
	if err != nil {
		return "", err
	}
	r.onClose("emulator", p.Stop)
	return firstLine(ctx, first, p)
}

// firstLine waits for the first line that a process prints. It fails if the process or the context
// ends before.
func firstLine(ctx context.Context, first <-chan string, p interface {
	Done() <-chan struct{}
	Err() error
}) (string, error) {
	select {
	case line := <-first:
		return line, nil
	case <-p.Done():
		return "", fmt.Errorf("it ended before it was ready: %w", cmp.Or(p.Err(), errors.New("exit status 0")))
	case <-ctx.Done():
		return "", fmt.Errorf("it was not ready when the run ended: %w", context.Cause(ctx))
	}
}

// redacted returns a URL without its password.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an invalid URL"
	}
	return u.Redacted()
}

// CheckService returns an error if an emulator's address is not a URL of this machine. The error
// has no other part of the address than its host: the address may have a password, even if it is
// not a URL, like user:password@127.0.0.1.
func CheckService(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("want an address like http://127.0.0.1:8000")
	}
	if u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback() {
		return fmt.Errorf("the host %q is not this machine: the functions of a run reach nothing else", u.Hostname())
	}
	return nil
}
