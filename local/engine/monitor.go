package engine

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"restock/infra/recorder"
)

type empty = emptypb.Empty

// features are the features of Pulumi's engine that the monitor has. Without "outputValues", the
// SDK sends plain values, unknown values and secrets, as it does to mocks. A program that uses a
// feature that is missing here fails with an error of the SDK: transforms and hooks are calls of
// the engine to the program.
var features = []string{
	"secrets", "resourceReferences", "aliasSpecs", "deletedWith", "replaceWith", "parameterization",
}

// A monitor records what the program registers.
type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer
	recorder *recorder.Recorder
	root     string // the folder of the program's sources, with a slash at its end
	log      *slog.Logger

	mu    sync.Mutex
	first error // see fail
}

// fail stores the program's first error. A later one often only follows from it.
func (m *monitor) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.first == nil {
		m.first = err
	}
}

// failure returns the program's first error, nil if it has none.
func (m *monitor) failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.first
}

// refuse fails the program with an error that names the line of the request, if it is known.
func (m *monitor) refuse(err error, source string) error {
	if source != "" {
		err = fmt.Errorf("%w (%s)", err, source)
	}
	m.fail(err)
	return status.Error(codes.Unknown, err.Error())
}

func (m *monitor) SupportsFeature(_ context.Context, in *pulumirpc.SupportsFeatureRequest,
) (*pulumirpc.SupportsFeatureResponse, error) {
	return &pulumirpc.SupportsFeatureResponse{HasSupport: slices.Contains(features, in.GetId())}, nil
}

// RegisterPackage accepts every package: the monitor has no plugins that it would have to start.
func (m *monitor) RegisterPackage(_ context.Context, in *pulumirpc.RegisterPackageRequest,
) (*pulumirpc.RegisterPackageResponse, error) {
	return &pulumirpc.RegisterPackageResponse{Ref: in.GetName() + "@" + in.GetVersion()}, nil
}

// SignalAndWaitForShutdown returns at once: nothing of the recording is left to do.
func (m *monitor) SignalAndWaitForShutdown(context.Context, *empty) (*empty, error) {
	return &empty{}, nil
}

// RegisterResource records a resource.
func (m *monitor) RegisterResource(_ context.Context, in *pulumirpc.RegisterResourceRequest,
) (*pulumirpc.RegisterResourceResponse, error) {
	urn := m.recorder.URN(in.GetParent(), in.GetType(), in.GetName())
	if in.GetType() == string(resource.RootStackType) && in.GetParent() == "" {
		return &pulumirpc.RegisterResourceResponse{Urn: urn}, nil
	}
	inputs, err := read(in.GetObject())
	if err != nil {
		return nil, err
	}
	id, state, err := m.recorder.NewResource(pulumi.MockResourceArgs{
		TypeToken: in.GetType(), Name: in.GetName(), Inputs: inputs, Provider: in.GetProvider(),
		ID: in.GetImportId(), Custom: in.GetCustom(), RegisterRPC: in,
	})
	if err != nil {
		return nil, m.refuse(err, recorder.Source(m.root, in))
	}
	object, err := write(state, in.GetAcceptSecrets(), in.GetAcceptResources())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.RegisterResourceResponse{Urn: urn, Id: id, Object: object}, nil
}

// RegisterResourceOutputs stores the outputs of the stack. A recording does not need those of
// components.
func (m *monitor) RegisterResourceOutputs(_ context.Context, in *pulumirpc.RegisterResourceOutputsRequest,
) (*empty, error) {
	if resource.URN(in.GetUrn()).QualifiedType() != resource.RootStackType {
		return &empty{}, nil
	}
	outputs, err := read(in.GetOutputs())
	if err != nil {
		return nil, err
	}
	for name, value := range outputs {
		for value.IsSecret() {
			value = value.SecretValue().Element
		}
		if value.IsString() {
			m.recorder.Output(string(name), value.StringValue())
		}
	}
	return &empty{}, nil
}

// ReadResource refuses to read a resource that another program has deployed: its outputs are not
// known without an account.
func (m *monitor) ReadResource(_ context.Context, in *pulumirpc.ReadResourceRequest,
) (*pulumirpc.ReadResourceResponse, error) {
	_, _, err := m.recorder.NewResource(pulumi.MockResourceArgs{
		TypeToken: in.GetType(), Name: in.GetName(), ID: in.GetId(), ReadRPC: in,
	})
	return nil, m.refuse(err, recorder.Source(m.root, in))
}

// Invoke answers a function that queries AWS.
func (m *monitor) Invoke(_ context.Context, in *pulumirpc.ResourceInvokeRequest,
) (*pulumirpc.InvokeResponse, error) {
	args, err := read(in.GetArgs())
	if err != nil {
		return nil, err
	}
	var answer resource.PropertyMap
	if in.GetTok() == "pulumi:pulumi:getResource" { // the SDK reads a reference to a resource
		answer, err = m.referenced(args)
	} else {
		answer, err = m.recorder.Call(pulumi.MockCallArgs{Token: in.GetTok(), Args: args, Provider: in.GetProvider()})
	}
	if err != nil {
		return nil, m.refuse(err, recorder.Source(m.root, in))
	}
	object, err := write(answer, true, in.GetAcceptResources())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.InvokeResponse{Return: object}, nil
}

// referenced returns the state of a resource that the program has registered.
func (m *monitor) referenced(args resource.PropertyMap) (resource.PropertyMap, error) {
	urn := args["urn"]
	if !urn.IsString() || m.recorder.Registered(urn.StringValue()) == nil {
		return nil, fmt.Errorf("the program refers to a resource that it has not registered: %v", urn)
	}
	r := m.recorder.Registered(urn.StringValue())
	return resource.PropertyMap{
		"urn": urn, "id": resource.NewProperty(r.ID),
		"state": resource.NewProperty(resource.NewPropertyMapFromMap(r.Outputs)),
	}, nil
}

// Call refuses a method of a resource: the resource's plugin would have to answer it.
func (m *monitor) Call(_ context.Context, in *pulumirpc.ResourceCallRequest) (*pulumirpc.CallResponse, error) {
	return nil, m.refuse(fmt.Errorf("the program calls the method %s: a recording has no plugins", in.GetTok()),
		recorder.Source(m.root, in))
}

// read reads properties that the SDK has sent.
func read(properties *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(properties, plugin.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: true, KeepResources: true,
	})
}

// write writes properties for the SDK.
func write(properties resource.PropertyMap, secrets, resources bool) (*structpb.Struct, error) {
	return plugin.MarshalProperties(properties, plugin.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: secrets, KeepResources: resources,
	})
}
