package run

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"

	"restock/infra/graph"
	"restock/infra/rules"
	"restock/local/blackhole"
)

// endpointVariables are where the AWS SDK looks for the address of one service, before it looks for that of all:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
var endpointVariables = map[string]string{
	"secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
	"sns":            "AWS_ENDPOINT_URL_SNS",
	"sqs":            "AWS_ENDPOINT_URL_SQS",
}

// closedOff are the variables that lead a function into a black hole, by its ARN: where the declared network has no way, its call hangs, as
// on AWS, and the run says which piece is missing.
func (r *Run) closedOff(g *graph.Graph) (map[string]map[string]string, error) {
	variables := map[string]map[string]string{}
	for _, d := range rules.Destinations(g) {
		if d.Missing == nil {
			continue
		}
		hole, err := blackhole.Listen(r.tellOnce(d))
		if err != nil {
			return nil, fmt.Errorf("closing function %s off from %s: %w", d.Function.Name, d.What, err)
		}
		r.onClose("black hole", func(context.Context) error { return hole.Close() })
		arn := d.Function.String("arn")
		if variables[arn] == nil {
			variables[arn] = map[string]string{}
		}
		switch {
		case d.PortVariable != "":
			variables[arn][d.PortVariable] = strconv.Itoa(hole.Addr().Port)
		case d.URLVariable != "":
			variables[arn][d.URLVariable] = "http://" + hole.Addr().String()
		default:
			variables[arn][endpointVariables[d.Service]] = "http://" + hole.Addr().String()
		}
	}
	return variables, nil
}

// tellOnce says, when a function first waits in vain, what it waits for and what is missing.
func (r *Run) tellOnce(d rules.Destination) func() {
	var once sync.Once
	return func() {
		once.Do(func() {
			r.config.Log.Warn("no way through the network", slog.String("part", "network"), slog.String("function", d.Function.Name),
				slog.String("to", d.What), slog.Any("missing", d.Missing), slog.String("declared_in", "infra/stack/network.go"))
		})
	}
}
