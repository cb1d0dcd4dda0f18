package engine

import (
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/graph"
	"restock/infra/recorder"
)

// record runs a program in this process against a monitor, as a process of its own would run.
func record(t *testing.T, program pulumi.RunFunc) (*graph.Graph, error) {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	o := recorder.Options{
		Project: "p", Stage: "s", Root: root + "/", Lookups: true, Config: map[string]string{"aws:region": "eu-west-1"},
	}
	m, address, end, err := serve(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	env, err := Program{Dir: root}.environment(o, address)
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range env {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "PULUMI_") {
			t.Setenv(name, value)
		}
	}
	err = pulumi.RunErr(program)
	if failure := m.failure(); failure != nil {
		return nil, failure
	}
	if err != nil {
		return nil, err
	}
	return m.recorder.Graph()
}

func TestMonitorRecordsWhatAMockRecords(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		topic, err := sns.NewTopic(ctx, "news", nil)
		if err != nil {
			return err
		}
		_, err = sqs.NewQueue(ctx, "inbox", &sqs.QueueArgs{
			Tags: pulumi.StringMap{
				"from": topic.Arn, "word": pulumi.ToSecret(pulumi.String("hush")).(pulumi.StringOutput),
			},
		}, pulumi.Parent(topic), pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String("mail")}}))
		ctx.Export("topic", topic.Arn)
		return err
	}
	got, err := record(t, program)
	if err != nil {
		t.Fatal(err)
	}
	want, err := recorder.Record(program, recorder.Options{
		Project: "p", Stage: "s", Config: map[string]string{"aws:region": "eu-west-1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*graph.Graph{got, want} {
		for _, r := range g.Resources {
			if len(r.Dependencies) == 0 {
				r.Dependencies = nil // gRPC makes no difference between an empty list and none
			}
			r.Source = regexp.MustCompile(`^(local/engine/)?engine_test.go:\d+$`).ReplaceAllString(r.Source, "here")
			if r.Source != "here" {
				t.Errorf("%s is declared in %q, want this file", r.Name, r.Source)
			}
		}
	}
	if g, w := text(t, got), text(t, want); g != w {
		t.Errorf("the monitor has recorded\n%s\nwant what a mock records\n%s", g, w)
	}
}

func text(t *testing.T, g *graph.Graph) string {
	t.Helper()
	written, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(written)
}

// The recorder would record an empty value in place of an unknown one as if the program had given
// it, and the program might panic.
func TestOutputsThatTheRecorderDoesNotKnowStayUnknown(t *testing.T) {
	g, err := record(t, func(ctx *pulumi.Context) error {
		var other pulumi.CustomResourceState
		if err := ctx.RegisterResource("other:index:Thing", "other", nil, &other); err != nil {
			return err
		}
		queue, err := sqs.NewQueue(ctx, "inbox", nil)
		if err != nil {
			return err
		}
		first := queue.RedrivePolicy.ApplyT(func(policy string) string { return policy[:1] }).(pulumi.StringOutput)
		_, err = sns.NewTopic(ctx, "news", &sns.TopicArgs{DisplayName: first})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if name := g.Named(graph.Topic, "news").Outputs["displayName"]; name != nil {
		t.Errorf("the topic's display name is %q, want an unknown value", name)
	}
}

func TestLookups(t *testing.T) {
	invoke := func(token string, args map[string]any) (answer map[string]any, err error) {
		_, err = record(t, func(ctx *pulumi.Context) error {
			return ctx.Invoke(token, pulumi.ToMap(args), &answer)
		})
		return answer, err
	}
	for token, want := range map[string]string{
		"aws:index/getCallerIdentity:getCallerIdentity":       "000000000000",
		"aws:index/getRegion:getRegion":                       "eu-west-1",
		"aws:index/getRegions:getRegions":                     "eu-west-1",
		"aws:index/getPartition:getPartition":                 "aws",
		"aws:index/getAvailabilityZones:getAvailabilityZones": "eu-west-1b",
	} {
		answer, err := invoke(token, nil)
		if written, _ := json.Marshal(answer); err != nil || !strings.Contains(string(written), `"`+want+`"`) {
			t.Errorf("%s: got %s, %v; want %s among it", token, written, err, want)
		}
	}
	// The SDK for Go does not say where a program calls a function.
	const want = "the program calls aws:ec2/getVpc:getVpc: a recording cannot query AWS; it answers " +
		"aws:ec2/getAmi:getAmi, "
	if _, err := invoke("aws:ec2/getVpc:getVpc", nil); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want an error that begins with %s", err, want)
	}
}

func TestPolicyDocument(t *testing.T) {
	var answer struct {
		JSON string `pulumi:"json"`
	}
	_, err := record(t, func(ctx *pulumi.Context) error {
		return ctx.Invoke("aws:iam/getPolicyDocument:getPolicyDocument", pulumi.Map{
			"statements": pulumi.Array{pulumi.Map{
				"sid": pulumi.String("s"), "actions": pulumi.ToStringArray([]string{"sqs:SendMessage"}),
				"resources": pulumi.ToStringArray([]string{"*"}),
				"principals": pulumi.Array{pulumi.Map{
					"type":        pulumi.String("Service"),
					"identifiers": pulumi.ToStringArray([]string{"sns.amazonaws.com"}),
				}},
				"conditions": pulumi.Array{pulumi.Map{
					"test": pulumi.String("ArnEquals"), "variable": pulumi.String("aws:SourceArn"),
					"values": pulumi.ToStringArray([]string{"arn:x"}),
				}},
			}},
		}, &answer)
	})
	const want = `{"Statement":[{"Action":["sqs:SendMessage"],"Condition":{"ArnEquals":{"aws:SourceArn":["arn:x"]}},` +
		`"Effect":"Allow","Principal":{"Service":["sns.amazonaws.com"]},"Resource":["*"],"Sid":"s"}],` +
		`"Version":"2012-10-17"}`
	if err != nil || answer.JSON != want {
		t.Errorf("got %s, %v; want %s", answer.JSON, err, want)
	}
}

func TestWhatARecordingCannotDoIsNamedWithItsLine(t *testing.T) {
	read := func(ctx *pulumi.Context) error {
		_, err := sqs.GetQueue(ctx, "inbox", pulumi.ID("https://elsewhere"), nil)
		return err
	}
	for want, program := range map[string]pulumi.RunFunc{
		`reads aws:sqs/queue:Queue "inbox": a recording has no deployed resources (engine_test.go:`: read,
		"a word of the program": func(*pulumi.Context) error { return errors.New("a word of the program") },
	} {
		_, err := record(t, program)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
