package recorder_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/graph"
	"restock/infra/recorder"
)

func options() recorder.Options {
	return recorder.Options{Project: "p", Stage: "s", Config: map[string]string{"aws:region": "eu-west-1"}}
}

// program declares a topic and its child, a queue. Tags of the queue hold the topic's ARN and a
// secret.
func program(ctx *pulumi.Context) error {
	topic, err := sns.NewTopic(ctx, "news", &sns.TopicArgs{}, pulumi.Protect(true))
	if err != nil {
		return err
	}
	_, err = sqs.NewQueue(ctx, "inbox", &sqs.QueueArgs{
		Name: pulumi.String("mail"),
		Tags: pulumi.StringMap{"from": topic.Arn, "word": pulumi.ToSecret(pulumi.String("hush")).(pulumi.StringOutput)},
	}, pulumi.Parent(topic))
	return err
}

func TestAnAssetKeepsItsTextOrItsURI(t *testing.T) {
	const uri = "https://example.com/page"
	sources := map[string]pulumi.AssetOrArchiveInput{
		"text": pulumi.NewStringAsset("hello"), "asset": pulumi.NewRemoteAsset(uri),
		"archive": pulumi.NewRemoteArchive(uri),
		"parts":   pulumi.NewAssetArchive(map[string]any{"a": pulumi.NewRemoteAsset(uri)}),
	}
	g, err := recorder.Record(func(ctx *pulumi.Context) error {
		for name, source := range sources {
			args := &s3.BucketObjectv2Args{Bucket: pulumi.String("pages"), Source: source}
			if _, err := s3.NewBucketObjectv2(ctx, name, args); err != nil {
				return err
			}
		}
		return nil
	}, options())
	if err != nil {
		t.Fatal(err)
	}
	remote := map[string]any{graph.URIAsset: uri}
	for name, want := range map[string]map[string]any{
		"text": {graph.TextAsset: "hello"}, "asset": remote, "archive": remote, "parts": {"a": remote},
	} {
		if got := g.Named(graph.BucketObject, name).Outputs["source"]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the source is recorded as %v, want %v", name, got, want)
		}
	}
}

func TestRecordReturnsOutputsOfADeployment(t *testing.T) {
	g, err := recorder.Record(program, options())
	if err != nil {
		t.Fatal(err)
	}
	topic, queue := g.OfType(graph.Topic)[0], g.OfType(graph.Queue)[0]
	topicARN := "arn:aws:sns:eu-west-1:000000000000:" + graph.Autoname("p", "s", graph.Topic, "news")
	if got := topic.String("arn"); got != topicARN || !topic.Protect {
		t.Errorf("the topic has ARN %s and protect %v, want %s, true", got, topic.Protect, topicARN)
	}
	if got := queue.Object("tags")["from"]; got != topicARN {
		t.Errorf("the queue's tag is %v, want the topic's ARN", got)
	}
	if got := queue.Object("tags")["word"]; got != "hush" {
		t.Errorf("the queue's secret tag is %v, want the plain value", got)
	}
	if queue.Parent != topic.URN || g.ByURN(queue.Parent) != topic || g.ByURN("elsewhere") != nil {
		t.Errorf("the queue's parent is %s, want %s", queue.Parent, topic.URN)
	}
	if want := "urn:pulumi:s::p::aws:sns/topic:Topic$aws:sqs/queue:Queue::inbox"; queue.URN != want {
		t.Errorf("the queue's URN is %s, want %s", queue.URN, want)
	}
	if want := "https://sqs.eu-west-1.amazonaws.com/000000000000/mail"; queue.String("url") != want ||
		queue.ID != want {
		t.Errorf("the queue's URL is %s, its id %s; want %s", queue.String("url"), queue.ID, want)
	}
	if g.Find(graph.Queue, "name", "mail") != queue || g.Find(graph.Queue, "name", "inbox") != nil {
		t.Error("Find does not find the queue by its physical name only")
	}
	if g.Named(graph.Queue, "inbox") != queue || g.Named(graph.Queue, "mail") != nil {
		t.Error("Named does not find the queue by its logical name only")
	}
}

// A name that the program does not give differs from the logical name, as on AWS. Otherwise a
// reference to the logical name would look correct.
func TestNamesHaveTheSuffixOfADeployment(t *testing.T) {
	for _, c := range []struct {
		logical   bool
		inbox, up string
	}{
		{
			false, graph.Autoname("p", "s", graph.Queue, "inbox") + ".fifo",
			"arn:aws:iam::000000000000:role/a/b/" + graph.Autoname("p", "s", graph.Role, "up"),
		},
		{true, "inbox.fifo", "arn:aws:iam::000000000000:role/a/b/up"},
	} {
		o := options()
		o.LogicalNames = c.logical
		g, err := recorder.Record(func(ctx *pulumi.Context) error {
			args := &iam.RoleArgs{Path: pulumi.String("/a/b/"), AssumeRolePolicy: pulumi.String("{}")}
			if _, err := iam.NewRole(ctx, "up", args); err != nil {
				return err
			}
			_, err := sqs.NewQueue(ctx, "inbox", &sqs.QueueArgs{FifoQueue: pulumi.Bool(true)})
			return err
		}, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Named(graph.Queue, "inbox").String("name"); got != c.inbox {
			t.Errorf("logical names %v: the queue's name is %s, want %s", c.logical, got, c.inbox)
		}
		if got := g.Named(graph.Role, "up").String("arn"); got != c.up {
			t.Errorf("logical names %v: the role's ARN is %s, want %s", c.logical, got, c.up)
		}
	}
}

func TestResourcesKnowTheLinesThatDeclareThem(t *testing.T) {
	g, err := recorder.Record(program, options())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("record_test.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for name, call := range map[string]string{"news": "sns.NewTopic(ctx, \"news\"", "inbox": "sqs.NewQueue(ctx, "} {
		line := 1 + slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, call) })
		want := fmt.Sprintf("infra/recorder/record_test.go:%d", line)
		for _, r := range g.Resources {
			if r.Name == name && r.Source != want {
				t.Errorf("%s %s is declared in %q, want %q", r.Type, r.Name, r.Source, want)
			}
		}
	}
}

func TestPreviewHasNoOutputsOfADeployment(t *testing.T) {
	o := options()
	o.Preview = true
	g, err := recorder.Record(program, o)
	if err != nil {
		t.Fatal(err)
	}
	if arn := g.OfType(graph.Topic)[0].String("arn"); arn != "" {
		t.Errorf("the preview has the ARN %s, want none", arn)
	}
}

func TestProgramGetsTheOutputsOfAnswer(t *testing.T) {
	o := options()
	o.Answer = func(r *graph.Resource) error {
		if r.Name == "news" {
			r.Outputs["arn"] = "arn:other"
		}
		return nil
	}
	g, err := recorder.Record(program, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := g.OfType(graph.Queue)[0].Object("tags")["from"]; got != "arn:other" {
		t.Errorf("the queue's tag is %v, want the output that Answer set", got)
	}

	o.Answer = func(*graph.Resource) error { return errors.New("quota exceeded") }
	if _, err := recorder.Record(program, o); err == nil || !strings.Contains(err.Error(), "quota exceeded") {
		t.Errorf("got %v, want the error of Answer", err)
	}
}

func TestDuplicateURNsAreRefused(t *testing.T) {
	_, err := recorder.Record(func(ctx *pulumi.Context) error {
		for range 2 {
			if _, err := sns.NewTopic(ctx, "news", &sns.TopicArgs{}); err != nil {
				return err
			}
		}
		return nil
	}, options())
	if err == nil || !strings.Contains(err.Error(), "urn:pulumi:s::p::aws:sns/topic:Topic::news") {
		t.Errorf("got %v, want an error that names the URN", err)
	}
}

func TestConfigOfAnUnknownStage(t *testing.T) {
	_, _, err := recorder.Config("../..", "nowhere")
	if err == nil || !strings.Contains(err.Error(), `no stage "nowhere", want one of dev, prod`) {
		t.Errorf("got %v, want an error that names the stage", err)
	}
}

func TestDiffAfterJSONIsEmpty(t *testing.T) {
	recorded, err := recorder.Record(program, options())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(recorded)
	if err != nil {
		t.Fatal(err)
	}
	var read graph.Graph
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if got := graph.Lines(graph.Diff(recorded, &read)); len(got) > 0 || len(read.Resources) == 0 {
		t.Errorf("got %d resources that differ by %q, want all without a difference", len(read.Resources), got)
	}
}
