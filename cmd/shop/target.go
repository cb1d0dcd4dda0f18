package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/spf13/pflag"

	"restock/lambdas"
)

// The default addresses of the local run, and the credentials with which it accepts a person.
const (
	localAPI         = "http://127.0.0.1:8080"
	localAWS         = "http://127.0.0.1:4566"
	localCredentials = "local"
)

// urlVariable is the environment variable with the URL of the API. Flags override it.
const urlVariable = "RESTOCK_URL"

// A target is the shop that the flags name.
type target struct {
	local                     bool
	ready, url, stage, region string
}

func (t *target) flags(f *pflag.FlagSet) {
	f.BoolVar(&t.local, "local", false, "the local run")
	f.StringVar(&t.ready, "ready", "", "the local run that wrote this `file` (its flag -ready)")
	f.StringVar(&t.stage, "stage", "", "the stage of this `name`; pulumi supplies its outputs")
	f.StringVar(&t.url, "url", "", "the API at this `URL`, a stage's output merchantUrl; default: $"+urlVariable)
	f.StringVar(&t.region, "region", "",
		"the AWS `region` of the API, if neither its URL nor the AWS configuration names it")
}

// A resolved target has the addresses of a shop.
type resolved struct {
	api    string // without a trailing slash
	aws    aws.Config
	local  bool
	notUp  string // what to do if nothing listens there
	prefix string // how a command line for this shop begins, like shop --local
	// deadLetters returns the name of the dead-letter queue.
	deadLetters func(context.Context) (string, error)
}

func (t target) resolve(ctx context.Context) (*resolved, error) {
	said := 0
	for _, is := range []bool{t.local || t.ready != "", t.url != "", t.stage != ""} {
		if is {
			said++
		}
	}
	if said > 1 {
		return nil, usagef("--local or --ready, --stage and --url name different shops: give one of them")
	}
	address := t.url
	if said == 0 {
		address = os.Getenv(urlVariable)
	}
	switch {
	case t.local || t.ready != "":
		return t.resolveLocal()
	case t.stage != "":
		address, err := stackOutput(ctx, t.stage, "merchantUrl")
		if err != nil {
			return nil, err
		}
		return t.resolveStage(ctx, address,
			func(ctx context.Context) (string, error) { return stackOutput(ctx, t.stage, "deadLetterQueueName") })
	case address != "":
		return t.resolveStage(ctx, address, func(context.Context) (string, error) {
			return "", usagef("an API's URL does not name the dead-letter queue: give --queue NAME (the stack's " +
				"output deadLetterQueueName), or --stage NAME")
		})
	}
	return nil, usagef("say which shop: --local, --ready FILE, --stage NAME, --url URL, or %s in the environment",
		urlVariable)
}

func (t target) resolveLocal() (*resolved, error) {
	endpoints := struct{ API, AWS, Region string }{API: localAPI, AWS: localAWS}
	notUp := "is the local run up? Start it with make local"
	if t.ready == "" {
		notUp += ". If it is up on other ports, give --ready FILE: the file that its flag -ready names"
	} else {
		text, err := os.ReadFile(t.ready)
		if err != nil {
			return nil, fmt.Errorf(
				"reading where the local run listens: %w: write it with go run ./cmd/local -ready %s", err, t.ready)
		}
		endpoints.API, endpoints.AWS = "", ""
		if err := json.Unmarshal(text, &endpoints); err != nil || endpoints.AWS == "" {
			return nil, fmt.Errorf("reading where the local run listens: %s is not a file of the local run", t.ready)
		}
		if endpoints.API == "" {
			return nil, fmt.Errorf("reading where the local run listens: the program of the local run declares no "+
				"API: %s names none", t.ready)
		}
	}
	region := cmp.Or(t.region, endpoints.Region)
	if region == "" {
		var err error
		if region, err = localRegion(); err != nil {
			return nil, err
		}
	}
	return &resolved{
		api: endpoints.API, local: true, notUp: notUp,
		aws: aws.Config{
			Region:       region,
			Credentials:  credentials.NewStaticCredentialsProvider(localCredentials, localCredentials, ""),
			BaseEndpoint: aws.String(endpoints.AWS),
		},
		deadLetters: func(context.Context) (string, error) { return lambdas.DeadLetterQueue(lambdas.StockQueue), nil },
	}, nil
}

// regionLine matches the region in a stage's configuration.
var regionLine = regexp.MustCompile(`(?m)^  aws:region: (\S+)$`)

// localRegion returns the region of the stage dev, which the local run plays by default. It reads
// the stage's file in the working directory or in a folder above it.
func localRegion() (string, error) {
	const file = "Pulumi.dev.yaml"
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, file)) // #nosec G304 -- in a folder of the user
		if match := regionLine.FindSubmatch(text); err == nil && match != nil {
			return string(match[1]), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", usagef("in which region is the local run? There is no %s with an aws:region here or above: "+
				"give --region", file)
		}
		dir = parent
	}
}

// regionOf matches the default host name of an HTTP API.
var regionOf = regexp.MustCompile(`\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`)

func (t target) resolveStage(ctx context.Context, address string,
	deadLetters func(context.Context) (string, error)) (*resolved, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" ||
		strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" || u.User != nil {
		return nil, usagef("%q is not the URL of an API, like https://abc123.execute-api.ap-northeast-2.amazonaws.com",
			address)
	}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if match := regionOf.FindStringSubmatch(u.Hostname()); match != nil {
		c.Region = match[1]
	}
	if t.region != "" {
		c.Region = t.region
	}
	if c.Region == "" {
		return nil, usagef("in which AWS region is %s? Give --region, or set AWS_REGION", u.Host)
	}
	return &resolved{
		api: u.Scheme + "://" + u.Host, aws: c, deadLetters: deadLetters,
		notUp: "is that the stage's output merchantUrl?",
	}, nil
}

// stackOutput asks pulumi for an output of a stage's stack. pulumi needs the project's folder and
// the state.
func stackOutput(ctx context.Context, stage, name string) (string, error) {
	var out, said bytes.Buffer
	// #nosec G204 -- the user names the stage; it is an argument, and no shell reads it
	cmd := exec.CommandContext(ctx, "pulumi", "stack", "output", name, "--stack="+stage, "--non-interactive")
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf(
			"asking pulumi for %s of stage %s: pulumi is not installed: give --url URL in place of --stage",
			name, stage)
	}
	if err != nil {
		why := strings.Join(strings.Fields(said.String()), " ")
		return "", fmt.Errorf("asking pulumi for %s of stage %s: %w: %s", name, stage, err, why)
	}
	return strings.TrimSpace(out.String()), nil
}
