package conformance

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/iam"
	"restock/local/aws/secretsmanager"
	"restock/local/aws/sns"
	"restock/local/aws/sqs"
)

// endpoint is the server under test.
var endpoint struct {
	url    string
	region string
	other  bool // the server is not the local run's
	moto   bool // it is moto's, with the differences of knownDifferences
}

// credentialsProvider signs the suite's requests.
var credentialsProvider aws.CredentialsProvider = credentials.NewStaticCredentialsProvider("local", "local", "")

func TestMain(m *testing.M) {
	if init := os.Getenv(beFunction); init != "" {
		function(init)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	endpoint.region = cmp.Or(os.Getenv("AWS_REGION"), "ap-northeast-2")
	if endpoint.url = os.Getenv("CONFORMANCE_ENDPOINT"); endpoint.url == "" {
		url, stop, err := startLocal(endpoint.region)
		if err != nil {
			fmt.Fprintf(os.Stderr, "starting the local endpoint: %v\n", err)
			return 1
		}
		defer stop()
		endpoint.url = url
		return runScored(m)
	}
	endpoint.other = true
	credentialsProvider = credentials.NewStaticCredentialsProvider(
		cmp.Or(os.Getenv("AWS_ACCESS_KEY_ID"), "local"),
		cmp.Or(os.Getenv("AWS_SECRET_ACCESS_KEY"), "local"),
		os.Getenv("AWS_SESSION_TOKEN"))
	moto, err := isMoto(endpoint.url)
	if err != nil {
		fmt.Fprintf(os.Stderr, "CONFORMANCE_ENDPOINT=%s does not answer: %v\n", endpoint.url, err)
		return 1
	}
	endpoint.moto = moto || os.Getenv("CONFORMANCE_KNOWN") == "moto"
	return runScored(m)
}

// runScored runs the tests and finishes their score, which is complete if all of them ran.
func runScored(m *testing.M) int {
	failed := m.Run()
	selected := flag.Lookup("test.run").Value.String() + flag.Lookup("test.skip").Value.String()
	return max(failed, score.finish(selected == "" && failed == 0 && !testing.Short()))
}

// startLocal starts the local run's stand-ins for a program without resources. They check the
// signature of each request and apply resource policies, as AWS does.
func startLocal(region string) (url string, stop func(), err error) {
	log := slog.New(slog.DiscardHandler)
	server := httptest.NewUnstartedServer(nil)
	baseURL := "http://" + server.Listener.Addr().(*net.TCPAddr).String()

	var queues *sqs.Service
	var topics *sns.Service
	var secrets *secretsmanager.Service
	authority, err := iam.New(iam.Config{
		Graph: &graph.Graph{Region: region}, Log: log,
		ResourcePolicy: func(arn string) (string, bool) {
			if policy, ok := queues.Policy(arn); ok {
				return policy, true
			}
			if policy, ok := topics.Policy(arn); ok {
				return policy, true
			}
			return secrets.Policy(arn)
		},
	})
	if err != nil {
		return "", nil, err
	}
	queues = sqs.New(sqs.Config{
		BaseURL: baseURL, Region: region, AccountID: graph.AccountID, SenderID: authority.UserID,
	}, log)
	topics = sns.New(sns.Config{
		Region: region, AccountID: graph.AccountID, Queues: queues,
		AuthorizeDelivery: func(topicARN, queueARN string) error {
			return authority.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
		},
	}, log)
	secrets = secretsmanager.New(secretsmanager.Config{
		Region: region, AccountID: graph.AccountID, Invoke: invokeRotator, MayInvoke: isRotator,
	}, log)
	server.Config.Handler = awsapi.NewAuthorizedHandler(log, region, authority,
		queues.API(), queues.QueryAPI(), topics.API(), secrets.API())
	server.Start()
	return server.URL, func() {
		server.Close()
		queues.Close()
		secrets.Close()
	}, nil
}

// isMoto reports whether the endpoint serves /moto-api/, a page of moto's server.
func isMoto(url string) (bool, error) {
	response, err := http.Get(url + "/moto-api/")
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode == http.StatusOK, err
}
