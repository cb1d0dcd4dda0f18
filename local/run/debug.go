package run

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"time"

	"restock/infra/graph"
	"restock/local/aws/lambda"
)

// debugDir is the folder, in the build folder, of the function that runs under a debugger.
const debugDir = "debug"

// longestVisibility is SQS's longest visibility timeout.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
const longestVisibility = 12 * time.Hour

// buildSums builds functions, and returns a sum of each one's code. It also builds the function
// that runs under a debugger a second time, with what the debugger needs.
func (r *Run) buildSums(ctx context.Context, packages ...string) (map[string]string, error) {
	for _, p := range packages {
		if path.Base(p) != r.config.Debug {
			continue
		}
		dir := filepath.Join(r.config.BuildDir, debugDir)
		if err := lambda.BuildForDebugger(ctx, r.config.ProjectDir, dir, p); err != nil {
			return nil, err
		}
	}
	return lambda.BuildSums(ctx, r.config.ProjectDir, r.config.BuildDir, packages...)
}

// checkDebug returns an error if there is no function with the name that Config.Debug has.
func (r *Run) checkDebug(functions []string) error {
	if name := r.config.Debug; name != "" && !slices.Contains(functions, name) {
		return fmt.Errorf("there is no function %q to debug: the functions are %v", name, functions)
	}
	return nil
}

// debug runs a function under the debugger, if it is the one to debug.
func (r *Run) debug(f *lambda.Function) {
	if f.Name == r.config.Debug {
		f.Executable = filepath.Join(r.config.BuildDir, debugDir, filepath.Base(f.Executable))
		f.Debugger = r.config.Debugger
	}
}

// hideMessages hides the messages of the function that runs under a debugger for as long as SQS
// can: while a person looks at one, it shall not come again.
func (r *Run) hideMessages(g *graph.Graph) {
	function := g.Find(graph.Function, "name", r.config.Debug)
	if r.config.Debug == "" || function == nil {
		return
	}
	for _, mapping := range g.OfType(graph.EventSourceMapping) {
		queue := g.Find(graph.Queue, "arn", mapping.String("eventSourceArn"))
		if mapping.String("functionName") == function.String("arn") && queue != nil {
			queue.Outputs["visibilityTimeoutSeconds"] = longestVisibility.Seconds()
		}
	}
}
