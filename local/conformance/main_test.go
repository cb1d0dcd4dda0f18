package conformance

import (
	"cmp"
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

	"restock/local/awsapi"
	"restock/local/secretsmanager"
	"restock/local/sns"
	"restock/local/sqs"
)

// endpoint is what the suite is run against.
var endpoint struct {
	url    string
	region string
	moto   bool // it is moto's server
}

// credentialsProvider signs the suite's requests.
var credentialsProvider aws.CredentialsProvider = credentials.NewStaticCredentialsProvider("local", "local", "")

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	endpoint.region = cmp.Or(os.Getenv("AWS_REGION"), "ap-northeast-2")
	if endpoint.url = os.Getenv("CONFORMANCE_ENDPOINT"); endpoint.url == "" {
		url, stop := startLocal(endpoint.region)
		defer stop()
		endpoint.url = url
		return m.Run()
	}
	credentialsProvider = credentials.NewStaticCredentialsProvider(
		cmp.Or(os.Getenv("AWS_ACCESS_KEY_ID"), "local"),
		cmp.Or(os.Getenv("AWS_SECRET_ACCESS_KEY"), "local"),
		os.Getenv("AWS_SESSION_TOKEN"))
	moto, err := isMoto(endpoint.url)
	if err != nil {
		fmt.Fprintf(os.Stderr, "CONFORMANCE_ENDPOINT=%s cannot be reached: %v\n", endpoint.url, err)
		return 1
	}
	endpoint.moto = moto || os.Getenv("CONFORMANCE_KNOWN") == "moto"
	return m.Run()
}

// startLocal starts the local run's endpoint without any resources.
func startLocal(region string) (url string, stop func()) {
	const accountID = "000000000000"
	log := slog.New(slog.DiscardHandler)
	server := httptest.NewUnstartedServer(nil)
	baseURL := "http://" + server.Listener.Addr().(*net.TCPAddr).String()
	queues := sqs.New(sqs.Config{BaseURL: baseURL, Region: region, AccountID: accountID}, log)
	topics := sns.New(sns.Config{Region: region, AccountID: accountID, Queues: queues}, log)
	secrets := secretsmanager.New(secretsmanager.Config{Region: region, AccountID: accountID, Invoke: invokeRotator}, log)
	server.Config.Handler = awsapi.NewHandler(log, queues.API(), topics.API(), secrets.API())
	server.Start()
	return server.URL, func() {
		server.Close()
		queues.Close()
		secrets.Close()
	}
}

// isMoto reports whether the endpoint has the page that moto's server alone has.
func isMoto(url string) (bool, error) {
	response, err := http.Get(url + "/moto-api/")
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode == http.StatusOK, err
}

// doNotRetry lets an error through that the SDK would otherwise try to get rid of.
func doNotRetry() aws.Retryer { return aws.NopRetryer{} }
