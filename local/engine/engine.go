// Package engine runs a Pulumi program in a process of its own, in place of Pulumi's engine. The
// program registers its resources with a resource monitor, which records them: see
// [recorder.Recorder]. So a program of any module, with any version of Pulumi's SDKs, can be
// recorded.
//
// The program runs as in a preview (ctx.DryRun() is true), and still gets every output that the
// recorder knows. An output that it does not know stays unknown to the program, as in a preview.
// In a deployment's mode, the SDK would make an empty value of it.
package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/local/system/loopback"
	"restock/local/system/process"
)

// A Program is a Pulumi program, built.
type Program struct {
	Executable string
	Dir        string   // the folder in which it runs; relative paths of its archives are below it
	Secrets    []string // the keys of configured values that are secret
	Log        *slog.Logger
}

// maxMessage limits a request of the program. It is the limit of Pulumi's engine.
const maxMessage = 400 << 20

// Record runs the program, and returns the resources that it registers.
func (p Program) Record(ctx context.Context, o recorder.Options) (*graph.Graph, error) {
	g, err := p.record(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("recording stage %s: %w", o.Stage, err)
	}
	return g, nil
}

func (p Program) record(ctx context.Context, o recorder.Options) (*graph.Graph, error) {
	o.Lookups, o.Root = true, strings.TrimSuffix(filepath.ToSlash(p.Dir), "/")+"/"
	m, address, end, err := serve(o, p.Log)
	if err != nil {
		return nil, err
	}
	defer end()
	env, err := p.environment(o, address)
	if err != nil {
		return nil, err
	}
	last := process.NewTail(20)
	err = process.Run(ctx, process.Config{
		Path: p.Executable, Dir: p.Dir, Env: env,
		Stdout: func(line string) { p.Log.Info(line) },
		Stderr: func(line string) { last.Add(line); p.Log.Warn(line) },
	})
	if failure := m.failure(); failure != nil {
		return nil, failure
	}
	if err != nil {
		return nil, fmt.Errorf("the program has failed: %w\n%s", err, strings.Join(last.Lines(), "\n"))
	}
	return m.recorder.Graph()
}

// serve serves a resource monitor and an engine at one address until the caller calls end.
func serve(o recorder.Options, log *slog.Logger) (m *monitor, address string, end func(), err error) {
	listener, err := loopback.Listen("127.0.0.1:0")
	if err != nil {
		return nil, "", nil, fmt.Errorf("starting the resource monitor: %w", err)
	}
	m = &monitor{recorder: recorder.New(o), root: o.Root, log: log}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage))
	pulumirpc.RegisterResourceMonitorServer(server, m)
	pulumirpc.RegisterEngineServer(server, &engine{monitor: m})
	// The listener checks the host and the origin of each request, so gRPC is served as HTTP/2.
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	web := &http.Server{Handler: server, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := listener.Serve(web, nil, log); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the resource monitor has ended", "error", err)
		}
	})
	return m, listener.Addr().String(), func() { _ = web.Close(); serving.Wait() }, nil
}

// environment returns the environment of the program's process: that of this process, and what
// Pulumi adds to it.
func (p Program) environment(o recorder.Options, address string) ([]string, error) {
	config, err := json.Marshal(o.Config)
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	secrets, err := json.Marshal(append([]string{}, p.Secrets...))
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return append(os.Environ(),
		pulumi.EnvMonitor+"="+address, pulumi.EnvEngine+"="+address,
		pulumi.EnvOrganization+"=organization", // the name in a backend without organizations
		pulumi.EnvProject+"="+o.Project, pulumi.EnvStack+"="+o.Stage,
		pulumi.EnvPulumiRootDirectory+"="+p.Dir,
		pulumi.EnvConfig+"="+string(config), pulumi.EnvConfigSecretKeys+"="+string(secrets),
		pulumi.EnvDryRun+"=true", pulumi.EnvParallel+"=1",
	), nil
}

// engine answers the requests that are not about resources.
type engine struct {
	pulumirpc.UnimplementedEngineServer
	monitor *monitor

	mu   sync.Mutex
	root string // the URN of the stack
}

// Log logs a message of the program.
func (e *engine) Log(ctx context.Context, in *pulumirpc.LogRequest) (*empty, error) {
	level := map[pulumirpc.LogSeverity]slog.Level{
		pulumirpc.LogSeverity_DEBUG: slog.LevelDebug, pulumirpc.LogSeverity_WARNING: slog.LevelWarn,
	}[in.GetSeverity()]
	if in.GetSeverity() == pulumirpc.LogSeverity_ERROR {
		e.monitor.fail(errors.New(programError(in.GetMessage())))
		return &empty{}, nil
	}
	e.monitor.log.Log(ctx, level, in.GetMessage())
	return &empty{}, nil
}

// programError returns the message of the program's error, without the words that the SDK puts
// before it.
func programError(message string) string {
	_, own, _ := strings.Cut(message, "an unhandled error occurred: program failed: \n")
	return strings.TrimSpace(cmp.Or(own, message))
}

func (e *engine) SetRootResource(_ context.Context, in *pulumirpc.SetRootResourceRequest,
) (*pulumirpc.SetRootResourceResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.root = in.GetUrn()
	return &pulumirpc.SetRootResourceResponse{}, nil
}

func (e *engine) GetRootResource(context.Context, *pulumirpc.GetRootResourceRequest,
) (*pulumirpc.GetRootResourceResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return &pulumirpc.GetRootResourceResponse{Urn: e.root}, nil
}

// RequirePulumiVersion accepts every version: a recording does not depend on the engine's.
func (e *engine) RequirePulumiVersion(context.Context, *pulumirpc.RequirePulumiVersionRequest,
) (*pulumirpc.RequirePulumiVersionResponse, error) {
	return &pulumirpc.RequirePulumiVersionResponse{}, nil
}
