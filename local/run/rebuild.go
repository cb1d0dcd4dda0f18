package run

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"restock/infra/graph"
	"restock/local/aws/lambda"
	"restock/local/view/console"
	"restock/local/view/events"
	"restock/local/view/progress"
)

// programName is the name of the Pulumi program in the lists of built functions.
const programName = "the program"

// rebuild builds stale packages, the program before the functions, and swaps what has changed. It
// returns the packages that are still stale. The end of the context building cancels the build,
// until something is swapped.
func (f *follower) rebuild(ctx, building context.Context, stale packages) (left packages) {
	what := f.names(stale)
	step := progress.Begin(f.log, events.Building, "building "+strings.Join(what, ", "))
	defer step.Ended()
	f.showBuild(console.Build{State: "building", What: what})

	if stale[f.program] {
		err := f.updateProgram(building)
		if err != nil {
			f.failed(building, []string{programName}, err, step.Took())
			return stale
		}
		if f.replaced {
			return packages{}
		}
		delete(stale, f.program)
	}
	swapped, left, err := f.updateFunctions(ctx, building, stale)
	if len(swapped) > 0 {
		f.log.Info("rebuilt and live", events.FunctionsReplaced.Attr(),
			"functions", strings.Join(swapped, " "), "took", step.Took())
	}
	if err != nil {
		f.failed(building, f.names(left), err, step.Took())
		return left
	}
	f.succeeded(what, step.Took())
	f.listSources(building) // the imports may have changed
	return left
}

// names returns the names of packages for people.
func (f *follower) names(p packages) (names []string) {
	for _, p := range p.sorted() {
		names = append(names, f.name(p))
	}
	return names
}

func (f *follower) name(p string) string {
	if p == f.program {
		return programName
	}
	return path.Base(p)
}

// updateFunctions builds the functions of packages, and swaps those that have changed. It returns
// their names, and the packages that are still stale.
func (f *follower) updateFunctions(ctx, building context.Context, stale packages) (swapped []string, left packages,
	err error) {
	if len(stale) == 0 {
		return nil, packages{}, nil
	}
	sums, err := f.run.buildSums(building, stale.sorted()...)
	var failure *lambda.BuildError
	if err != nil && !errors.As(err, &failure) {
		return nil, stale, err
	}
	left = packages{}
	if failure != nil {
		left.add(failure.Packages)
	}
	for _, p := range f.swapOrder(stale) {
		name := path.Base(p)
		if sums[name] == "" || sums[name] == f.run.built[name] {
			continue
		}
		f.functions[p].Reload()
		f.run.built[name] = sums[name]
		swapped = append(swapped, name)
		for _, invocation := range f.invocations(p) {
			if failure := f.functions[p].runInvocation(ctx, invocation, f.log); failure != nil {
				err = errors.Join(err, failure)
				left[p], f.run.built[name] = true, "" // retried, even if the executable stays the same
			}
		}
	}
	slices.Sort(swapped)
	return swapped, left, err
}

// swapOrder returns packages in the order of a deployment: functions that the deployment invokes,
// such as setup, come first, because the others need their work.
func (f *follower) swapOrder(p packages) []string {
	order := p.sorted()
	slices.SortStableFunc(order, func(a, b string) int {
		return cmp.Compare(len(f.invocations(b)),
			len(f.invocations(a)))
	})
	return order
}

// invocations returns a function's invocations that are a part of the deployment.
func (f *follower) invocations(p string) (invocations []*graph.Resource) {
	for _, r := range f.invoked {
		if r.String("functionName") == f.functions[p].Name {
			invocations = append(invocations, r)
		}
	}
	return invocations
}

// failed reports an error once. A cancelled build has not failed.
func (f *follower) failed(building context.Context, what []string, err error, took time.Duration) {
	if building.Err() != nil {
		return
	}
	message, text := "the previous version keeps running", err.Error()
	var failure *lambda.BuildError
	if errors.As(err, &failure) {
		message, text = "does not build: the previous version keeps running", failure.Output
	}
	f.showBuild(console.Build{State: "failed", What: what, Error: text, TookMS: milliseconds(took)})
	if f.reported == text {
		return
	}
	f.reported = text
	// The line break shows even an error of one line below the event, where it is easy to see.
	f.log.Error(message, events.UpdateFailed.Attr(),
		"functions", strings.Join(what, " "), "error", strings.TrimRight(text, "\n")+"\n", "took", took)
}

// succeeded shows a successful build, and reports the recovery after an error.
func (f *follower) succeeded(what []string, took time.Duration) {
	f.showBuild(console.Build{State: "ok", What: what, TookMS: milliseconds(took)})
	if f.reported != "" {
		f.reported = ""
		f.log.Info("the sources build again", events.UpdateRecovered.Attr(), "functions", strings.Join(what, " "))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
