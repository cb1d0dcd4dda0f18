package run

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/eventbridge"
	"restock/local/aws/iam"
	"restock/local/aws/secretsmanager"
	"restock/local/aws/sns"
	"restock/local/aws/sqs"
	"restock/local/aws/standin"
)

// services are the stand-ins for the services of AWS, and what they share.
type services struct {
	standIns []standin.StandIn // see Run.listStandIns
	sqs      *sqs.Service
	topics   *sns.Service
	secrets  *secretsmanager.Service
	buses    *eventbridge.Service
	log      *slog.Logger

	program   *program     // nil while the program is recorded, like the following fields
	handler   http.Handler // of the AWS endpoint
	authority *iam.Authority

	functions atomic.Pointer[functions] // nil before the functions are added
}

// newServices returns stand-ins without resources. g is the program, as it is recorded for AWS.
func (r *Run) newServices(ctx context.Context, g *graph.Graph) *services {
	r.listen.apis.order(g)
	region := g.Region
	log := r.config.Log
	s := &services{log: log}
	s.sqs = sqs.New(sqs.Config{
		BaseURL: r.listen.url(r.listen.aws), Region: region, AccountID: graph.AccountID,
		SenderID:      func(accessKeyID string) string { return s.authority.UserID(accessKeyID) },
		DuplicateRate: r.config.DuplicateRate,
	}, log.With("part", "sqs"))
	s.topics = sns.New(sns.Config{
		Region: region, AccountID: graph.AccountID, Queues: s.sqs,
		AuthorizeDelivery: func(topicARN, queueARN string) error {
			return s.authority.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
		},
		Function: s.subscribed,
	}, log.With("part", "sns"))
	s.secrets = secretsmanager.New(secretsmanager.Config{
		Region: region, AccountID: graph.AccountID, Invoke: s.rotate, MayInvoke: s.mayRotate,
	}, log.With("part", "secretsmanager"))
	s.standIns = r.listStandIns(g, s)
	s.standIns = append(s.standIns, r.forwards(ctx, g, s.endpointVariables())...)
	return s
}

// create creates what the program declares, and the handler of the AWS endpoint.
func (s *services) create(r *Run, p *program) (err error) {
	s.program = p
	if s.authority, err = r.newAuthority(p, s.presentPolicy); err != nil {
		return err
	}
	var apis []awsapi.Service
	for _, standIn := range s.standIns {
		if standIn.Create != nil {
			if err := standIn.Create(p.graph); err != nil {
				return fmt.Errorf("creating the resources of %s: %w", standIn.Service, err)
			}
		}
		apis = append(apis, standIn.APIs...)
	}
	log := r.config.Log.With("part", "aws")
	s.handler = s.withInvoke(awsapi.NewAuthorizedHandler(log, p.graph.Region, s.authority, apis...), p.graph, log)
	return nil
}

// queues returns the declared queues that no client has deleted.
func (s *services) queues() (declared []*sqs.Queue) {
	for _, r := range s.program.graph.OfType(graph.Queue) {
		if q := s.sqs.Queue(r.String("arn")); q != nil {
			declared = append(declared, q)
		}
	}
	return declared
}

// declaredTopics returns the declared topics that no client has deleted.
func (s *services) declaredTopics() (declared []*sns.Topic) {
	for _, r := range s.program.graph.OfType(graph.Topic) {
		if t := s.topics.Topic(r.String("arn")); t != nil {
			declared = append(declared, t)
		}
	}
	return declared
}

// serveTLS serves the AWS endpoint over HTTPS too, if Config.AWSTLS is set. It writes the
// certificate that clients must trust to a file in the build folder, for as long as the run lasts.
func (r *Run) serveTLS(aws http.Handler) error {
	l := r.listen.awsTLS
	if l == nil {
		return nil
	}
	dir, err := filepath.Abs(r.config.BuildDir)
	if err != nil {
		return fmt.Errorf("-aws-tls: %w", err)
	}
	r.awsBundle = filepath.Join(dir, fmt.Sprintf("aws-tls-%d.pem", l.Addr().Port))
	certificate, err := l.Certify("restock -aws-tls", fmt.Sprintf("-aws-tls is set: use https://%s, and trust the "+
		"certificate of this run: set AWS_CA_BUNDLE=%s", l.Addr(), r.awsBundle))
	if err != nil {
		return fmt.Errorf("-aws-tls: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("-aws-tls: %w", err)
	}
	if err := os.WriteFile(r.awsBundle, certificate, 0o644); err != nil {
		return fmt.Errorf("-aws-tls: %w", err)
	}
	r.onClose("certificate", func(context.Context) error { return os.Remove(r.awsBundle) })
	r.serve("AWS endpoint over HTTPS", l, aws, nil)
	return nil
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
