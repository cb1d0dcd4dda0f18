package stack_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/lambdas"
)

func TestAlarmsNotifyTheManagersWithAdvice(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		topic := g.Named(graph.Topic, "stock_operations")
		alarms := map[string]*graph.Resource{}
		for _, a := range g.OfType(graph.MetricAlarm) {
			alarms[a.Name] = a
			if len(a.String("alarmDescription")) < 40 {
				t.Errorf("alarm %s says %q, want advice", a.Name, a.String("alarmDescription"))
			}
			for _, actions := range []string{"alarmActions", "okActions"} {
				if got := a.Strings(actions); !slices.Equal(got, []string{topic.String("arn")}) {
					t.Errorf("alarm %s: %s are %v, want the topic stock_operations", a.Name, actions, got)
				}
			}
		}
		want := []string{
			"api-errors", "api-latency", "database-cpu", "database-connections", "database-storage", "database-memory",
			"production-failing", "production-failed", "production-overdue", "production-surplus", "ledger-difference",
			"deliveries-failing", "deliveries-forged",
		}
		for _, f := range lambdas.All() {
			if f.Name == lambdas.Factory.Name && g.Named(graph.Function, f.Name) == nil {
				continue // the stage does not simulate the factory
			}
			want = append(want, f.Name+"-errors", f.Name+"-throttles")
			if f.Queue != "" {
				want = append(want, f.Name+"-dead-letters", f.Name+"-oldest-message")
			}
			if f.Every > 0 {
				want = append(want, f.Name+"-silent")
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(alarms)); !slices.Equal(got, want) {
			t.Errorf("the alarms are %v, want %v", got, want)
		}
		if got := alarms["database-storage"].String("comparisonOperator"); got != "LessThanThreshold" {
			t.Errorf("the alarm about the database's free storage compares with %s, want LessThanThreshold", got)
		}
		if got := alarms["sweep-silent"].String("treatMissingData"); got != "breaching" {
			t.Errorf("the alarm about a sweep that does not run treats missing data as %s, want breaching", got)
		}
	})
	emails := func(stage string) (emails []string) {
		for _, s := range record(t, stage).OfType(graph.TopicSubscription) {
			if s.String("protocol") == "email" {
				emails = append(emails, s.String("endpoint"))
			}
		}
		return emails
	}
	if got := emails("prod"); !slices.Equal(got, []string{"operations@example.com"}) {
		t.Errorf("prod notifies %v, want its alarmEmail", got)
	}
	if got := emails("dev"); got != nil {
		t.Errorf("dev notifies %v, want nobody", got)
	}
}

func TestOperationsGuideNamesEveryAlarm(t *testing.T) {
	text, err := os.ReadFile(projectDir + "/docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		for _, a := range g.OfType(graph.MetricAlarm) {
			if !strings.Contains(string(text), "`"+a.Name+"`") {
				t.Errorf("docs/operations.md does not name the alarm %s: add a row to its table of alarms, or add the "+
					"name to the row of the same alarm of other functions, and say what to do", a.Name)
			}
		}
	})
}

func TestAccessLogHasNoQuery(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		format := g.OfType(graph.APIStage)[0].Object("accessLogSettings")["format"].(string)
		var fields map[string]string
		if err := json.Unmarshal([]byte(format), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["requestId"] != "$context.requestId" {
			t.Errorf("the access log has no correlation id: %s", format)
		}
		for name, value := range fields {
			if strings.Contains(strings.ToLower(value), "query") || value == "$context.requestOverride" {
				t.Errorf("%s is %s: a callback's query holds its signature", name, value)
			}
		}
	})
}

func TestDashboardFollowsAPurchaseFromLeftToRight(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		dashboard := g.OfType(graph.Dashboard)[0]
		var body struct {
			Widgets []struct {
				Type                string
				X, Y, Width, Height int
				Properties          struct {
					Title, Markdown, Query, Region string
					Metrics                        [][]any
					Alarms                         []string
				}
			}
		}
		if err := json.Unmarshal([]byte(dashboard.String("dashboardBody")), &body); err != nil {
			t.Fatal(err)
		}
		taken, drawn := map[[2]int]string{}, map[string]bool{}
		var titles, alarms []string
		for _, w := range body.Widgets {
			if w.X < 0 || w.X+w.Width > 24 {
				t.Errorf("%q is at %d and %d wide: the grid has 24 columns", w.Properties.Title, w.X, w.Width)
			}
			for x := w.X; x < w.X+w.Width; x++ {
				for y := w.Y; y < w.Y+w.Height; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Errorf("%q overlaps %q", w.Properties.Title, other)
					}
					taken[[2]int{x, y}] = w.Type + " " + w.Properties.Title
				}
			}
			if w.Type == "text" {
				titles = append(titles, w.Properties.Markdown)
			}
			alarms = append(alarms, w.Properties.Alarms...)
			for _, metric := range w.Properties.Metrics {
				if len(metric) > 2 {
					drawn[metric[1].(string)] = true
					if metric[1] == "Errors" {
						drawn["errors of "+fmt.Sprint(metric[3])] = true
					}
				} else {
					drawn[fmt.Sprint(metric)] = true
				}
			}
			for _, f := range g.OfType(graph.Function) {
				group := g.Named(graph.LogGroup, f.Name).String("name")
				if w.Type == "log" && !strings.Contains(w.Properties.Query, "SOURCE '"+group+"'") {
					t.Errorf("the log query is %s, want it to read the log of %s", w.Properties.Query, f.Name)
				}
			}
		}
		for i, want := range []string{"Buyers", "Stock", "Queue", "Factory", "Receipts", "Database"} {
			if i >= len(titles) || !strings.Contains(titles[i], want) {
				t.Errorf("column %d of %q is not about %s", i+1, titles, want)
			}
		}
		for _, f := range g.OfType(graph.Function) {
			if !drawn["errors of "+f.String("name")] {
				t.Errorf("the dashboard does not draw the errors of function %s", f.Name)
			}
		}
		if want := len(g.OfType(graph.MetricAlarm)); len(alarms) != want {
			t.Errorf("the dashboard shows %d alarms, want %d", len(alarms), want)
		}
		for _, a := range g.OfType(graph.MetricAlarm) {
			if name := a.String("metricName"); strings.HasPrefix(a.String("namespace"), "restock/") && !drawn[name] {
				t.Errorf("alarm %s watches %s, which the dashboard does not draw", a.Name, name)
			}
		}
	})
}

// measured returns the metrics that package lambdas declares, by the names of their constants.
func measured(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../lambdas/metrics.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Metric") {
			metrics[spec.Names[0].Name] = strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`)
		}
		return true
	})
	return metrics
}

func TestEveryMetricIsMeasuredAndDrawn(t *testing.T) {
	journal, err := os.ReadFile("../../lambdas/journal/journal.go")
	if err != nil {
		t.Fatal(err)
	}
	body := record(t, "dev").OfType(graph.Dashboard)[0].String("dashboardBody")
	metrics := measured(t)
	if len(metrics) < 10 {
		t.Fatalf("found only the metrics %v", metrics)
	}
	for constant, name := range metrics {
		if !strings.Contains(string(journal), "lambdas."+constant+":") {
			t.Errorf("no function measures %s", constant)
		}
		if !strings.Contains(body, `"`+name+`"`) && !strings.Contains(body, `MetricName=\"`+name+`\"`) {
			t.Errorf("the dashboard does not draw %s", name)
		}
	}
}
