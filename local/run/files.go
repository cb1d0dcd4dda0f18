package run

import (
	"restock/infra/graph"
	"restock/local/aws/lambda"
)

// The number of files that a run may have open at the same time. Connections and pipes count as
// files.
const (
	// filesWithoutInstances is for a run without functions. A rush opens 64 connections, and the
	// API has their other ends. The rest are listeners, the database's pipes, watched folders,
	// pages of the console, and a reserve.
	filesWithoutInstances = 256
	// filesPerInstance is for a function's process, its two pipes, its connection to the Runtime
	// API, and its connections to the AWS endpoint: one for each service.
	filesPerInstance = 8
)

// filesNeeded returns how many files a stack has open when all its instances run.
func filesNeeded(g *graph.Graph) uint64 {
	instances := 0
	for _, f := range g.OfType(graph.Function) {
		instances += instancesOf(g, f)
	}
	return filesWithoutInstances + filesPerInstance*uint64(instances) // #nosec G115 -- instances are not negative
}

// instancesOf returns how many instances a function may have. A function without a limit counts as
// one, because no machine could run the concurrency of a whole account. If the account is small, it
// counts as the whole quota: its idle instances stay while other functions use the quota.
func instancesOf(g *graph.Graph, f *graph.Resource) int {
	if reserved, declared := f.Outputs["reservedConcurrentExecutions"].(float64); declared && reserved >= 0 {
		return int(reserved)
	}
	for _, mapping := range g.OfType(graph.EventSourceMapping) {
		maximum, _ := mapping.Object("scalingConfig")["maximumConcurrency"].(float64)
		if mapping.String("functionName") == f.String("arn") && maximum > 0 {
			return int(maximum) + 1 // one more for an invocation by another service
		}
	}
	if quota := accountConcurrency(g); quota <= lambda.NewAccountConcurrency {
		return quota
	}
	return 1
}
