package run

import "restock/infra/graph"

// How many files a run has open when everything happens at once. Connections and pipes count as files.
const (
	// filesWithoutInstances are those of a run without functions. A rush opens 64 connections, whose other ends are the
	// API's. The rest are listeners, the database's pipes, watched folders, the pages of the console, and a reserve.
	filesWithoutInstances = 256
	// filesPerInstance are a function's process, its two pipes, its connection to the Runtime API, and its connections to
	// the AWS endpoint: one for each service.
	filesPerInstance = 8
)

// filesNeeded is how many files a stack has open when all instances run that it may have.
func filesNeeded(g *graph.Graph) uint64 {
	instances := 0
	for _, f := range g.OfType(graph.Function) {
		instances += instancesOf(g, f)
	}
	return filesWithoutInstances + filesPerInstance*uint64(instances) // #nosec G115 -- no function has less than none
}

// instancesOf is how many instances a function may have at once. One that the program does not bound counts as one: the
// whole account's concurrency would be too much for any machine.
func instancesOf(g *graph.Graph, f *graph.Resource) int {
	if reserved, declared := f.Outputs["reservedConcurrentExecutions"].(float64); declared && reserved >= 0 {
		return int(reserved)
	}
	for _, mapping := range g.OfType(graph.EventSourceMapping) {
		if maximum, _ := mapping.Object("scalingConfig")["maximumConcurrency"].(float64); mapping.String("functionName") == f.String("arn") && maximum > 0 {
			return int(maximum) + 1 // one is invoked by somebody else
		}
	}
	return 1
}
