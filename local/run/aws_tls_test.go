package run_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/local/run"
	"restock/test/await"
)

// A textLog keeps the text of a log.
type textLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *textLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *textLog) contains(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// An SDK needs two variables for the AWS endpoint over HTTPS. Without them, its error names the
// flag.
func TestSDKsUseTheAWSEndpointOverHTTPS(t *testing.T) {
	var log textLog
	c := run.DefaultConfig(run.Program{
		Name: "queue", Project: "examples/tutorial",
		Declare: func(bundle.Builder) pulumi.RunFunc {
			return func(ctx *pulumi.Context) error {
				_, err := newResource(ctx, graph.Queue, "messages", pulumi.Map{"name": pulumi.String("messages")})
				return err
			}
		},
	}, "../..")
	c.API, c.AWS, c.AWSTLS = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.BuildDir, c.Unchecked = t.TempDir(), true
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	r, err := run.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	e := r.Endpoints()
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
	t.Setenv("AWS_REGION", "ap-northeast-2")
	list := func(endpoint, bundle string) error {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		t.Setenv("AWS_CA_BUNDLE", bundle)
		sdk, err := config.LoadDefaultConfig(t.Context(), config.WithRetryMaxAttempts(1))
		if err != nil {
			return err
		}
		queues, err := sqs.NewFromConfig(sdk).ListQueues(t.Context(), &sqs.ListQueuesInput{})
		if err == nil && len(queues.QueueUrls) == 0 {
			err = errors.New("there is no queue")
		}
		return err
	}
	if err := list(e.AWSTLS, e.AWSBundle); err != nil {
		t.Errorf("with the certificate: %v", err)
	}
	if err := list(e.AWS, ""); err != nil {
		t.Errorf("without TLS at the other address: %v", err)
	}
	if err := list(e.AWSTLS, ""); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("without the certificate: got %v, want an unknown authority", err)
	}
	await.Until(t, "the log names the flag", func() bool { return log.contains("-aws-tls is set: use " + e.AWSTLS) })
	plain := "http" + strings.TrimPrefix(e.AWSTLS, "https")
	if err := list(plain, ""); err == nil || !strings.Contains(err.Error(), "-aws-tls is set: use "+e.AWSTLS) ||
		!strings.Contains(err.Error(), e.AWSBundle) {
		t.Errorf("without TLS: got %v, want the flag, the address and the certificate", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(e.AWSBundle); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the run, the certificate is still there: %v", err)
	}
}
