package xray

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go/middleware"

	"restock/internal/shop"
)

const root, invocation = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"

// during returns the context of an invocation, as the Lambda library makes it.
func during(ctx context.Context, sampled string) context.Context {
	header := "Root=" + root + ";Parent=" + invocation + ";Sampled=" + sampled + ";Lineage=1:2:3"
	//lint:ignore SA1029 the key is the Lambda library's
	ctx = context.WithValue(ctx, invocationKey, header)
	return shop.WithCorrelation(ctx, "JKJaXmPLvHcESHA=")
}

// A daemon keeps what a recorder sends.
type daemon struct{ sent []string }

func (d *daemon) Write(datagram []byte) (int, error) {
	d.sent = append(d.sent, string(datagram))
	return len(datagram), nil
}

func newRecorder() (*Recorder, *daemon) {
	d := &daemon{}
	return &Recorder{d, "sales-api"}, d
}

// only returns the only subsegment that was sent.
func (d *daemon) only(t *testing.T) subsegment {
	t.Helper()
	if len(d.sent) != 1 {
		t.Fatalf("%d datagrams were sent, want one: %q", len(d.sent), d.sent)
	}
	document, ok := strings.CutPrefix(d.sent[0], format)
	var s subsegment
	if err := json.Unmarshal([]byte(document), &s); err != nil || !ok {
		t.Fatalf("got the datagram %s, %v; want the line of the format and a document", d.sent[0], err)
	}
	if s.TraceID != root || s.ParentID != invocation || len(s.ID) != 16 || s.Type != "subsegment" ||
		s.Start <= 0 || s.End < s.Start || s.Annotations["function"] != "sales-api" ||
		s.Annotations["correlation_id"] != "JKJaXmPLvHcESHA=" {
		t.Errorf("got %+v, want a part of the invocation", s)
	}
	return s
}

func TestARequestIsRecordedAndContinuesTheTrace(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	for sampled, flags := range map[string]string{"1": "01", "0": "00"} {
		recorder, d := newRecorder()
		request, err := http.NewRequestWithContext(during(t.Context(), sampled), http.MethodPost,
			server.URL+"/api/manufactures?signature=hunter2", strings.NewReader("hunter2"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := recorder.Transport().RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		parts := strings.Split(got.Get("Traceparent"), "-")
		if len(parts) != 4 || parts[0] != "00" || parts[1] != "5759e988bd862e3fe1be46a994272793" || parts[3] != flags {
			t.Errorf("the server got the traceparent %s", got.Get("Traceparent"))
		}
		if request.Header.Get("Traceparent") != "" {
			t.Error("the transport has changed the request")
		}
		if sampled == "0" {
			if len(d.sent) > 0 {
				t.Errorf("got %q of a trace that X-Ray does not keep", d.sent)
			}
			continue
		}
		s := d.only(t)
		if s.Namespace != "remote" || s.ID != parts[2] || s.HTTP.Request.URL != server.URL+"/api/manufactures" ||
			s.HTTP.Request.Method != http.MethodPost || s.HTTP.Response.Status != 503 || !s.Fault ||
			strings.Contains(d.sent[0], "hunter2") {
			t.Errorf("got %s", d.sent[0])
		}
	}
}

func TestACallOfAWSIsRecordedAndPassesTheTraceOn(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "sales-api")
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-0-0;Parent=0;Sampled=0") // the SDK's own header
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("X-Amzn-Trace-Id")
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer server.Close()
	recorder, d := newRecorder()
	if err := publish(t, recorder, server.URL); err == nil {
		t.Fatal("the call succeeded, want the server's refusal")
	}
	s := d.only(t)
	if s.Name != "SNS" || s.Namespace != "aws" || s.AWS.Operation != "Publish" || s.AWS.Region != "ap-northeast-2" ||
		!s.Error || s.Fault || strings.Contains(d.sent[0], "hunter2") {
		t.Errorf("got %s", d.sent[0])
	}
	if want := "Root=" + root + ";Parent=" + s.ID + ";Sampled=1;Lineage=1:2:3"; got != want {
		t.Errorf("SNS got the header %s, want %s", got, want)
	}
}

func TestTheStatusAndTheCodeSayHowACallOfAWSFailed(t *testing.T) {
	for answer, want := range map[struct {
		status int
		code   string
	}]subsegment{
		{403, "AccessDenied"}:             {Error: true},
		{400, "ThrottlingException"}:      {Error: true, Throttle: true},
		{429, "TooManyRequestsException"}: {Error: true, Throttle: true},
		{503, "ServiceUnavailable"}:       {Fault: true},
		{0, "no answer"}:                  {Fault: true},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if answer.status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(answer.status)
			fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code></Error></ErrorResponse>", answer.code)
		}))
		defer server.Close()
		recorder, d := newRecorder()
		if err := publish(t, recorder, server.URL); err == nil {
			t.Fatalf("%v: the call succeeded", answer)
		}
		if s := d.only(t); s.Error != want.Error || s.Throttle != want.Throttle || s.Fault != want.Fault {
			t.Errorf("%v: got %s, want error: %v, throttle: %v, fault: %v",
				answer, d.sent[0], want.Error, want.Throttle, want.Fault)
		}
	}
}

// publish publishes a secret text with a client that a recorder records. It does not retry.
func publish(t *testing.T, recorder *Recorder, endpoint string) error {
	t.Helper()
	client := sns.NewFromConfig(aws.Config{
		Region: "ap-northeast-2", BaseEndpoint: &endpoint, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("KEY", "hunter2", ""),
		APIOptions:  []func(*middleware.Stack) error{recorder.AWS},
	})
	text := "hunter2"
	_, err := client.Publish(during(t.Context(), "1"), &sns.PublishInput{TopicArn: &text, Message: &text})
	return err
}

// A conn is a connection that answers every statement with an error.
type conn struct {
	connection
	statements []string
}

var errStatement = errors.New("value hunter2 is wrong")

func (c *conn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	c.statements = append(c.statements, query)
	return nil, errStatement
}

func (c *conn) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	c.statements = append(c.statements, query)
	return driver.RowsAffected(1), nil
}

func (c *conn) CheckNamedValue(*driver.NamedValue) error { return nil }
func (c *conn) IsValid() bool                            { return true }
func (c *conn) ResetSession(context.Context) error       { return nil }
func (c *conn) Close() error                             { return nil }

type connects struct{ conn driver.Conn }

func (c connects) Connect(context.Context) (driver.Conn, error) { return c.conn, nil }
func (c connects) Driver() driver.Driver                        { return nil }

func TestAStatementIsRecordedWithoutItsValues(t *testing.T) {
	c := &conn{}
	recorder, d := newRecorder()
	db := sql.OpenDB(recorder.Connector(connects{c}, "restock@db.example"))
	defer db.Close()
	if _, err := db.QueryContext(during(t.Context(), "1"), "CALL sell(?)", "hunter2"); !errors.Is(err, errStatement) {
		t.Errorf("got %v, want the connection's error", err)
	}
	s := d.only(t)
	if s.Name != "restock@db.example" || s.Namespace != "remote" || s.SQL.Query != "CALL sell(?)" || !s.Fault ||
		strings.Contains(d.sent[0], "hunter2") {
		t.Errorf("got %s", d.sent[0])
	}
	d.sent = nil
	if _, err := db.ExecContext(during(t.Context(), "1"), "ROLLBACK"); err != nil {
		t.Error(err)
	}
	if s := d.only(t); s.SQL.Query != "ROLLBACK" || s.Fault {
		t.Errorf("got %s", d.sent[0])
	}
	if _, err := db.ExecContext(t.Context(), "COMMIT"); err != nil || len(c.statements) != 3 || len(d.sent) != 1 {
		t.Errorf("got %v, %q, %q; want a statement outside of an invocation that is not recorded",
			err, c.statements, d.sent)
	}
}

func TestAConnectionThatCannotBeRecordedIsRefused(t *testing.T) {
	recorder, _ := newRecorder()
	_, err := recorder.Connector(connects{nil}, "restock").Connect(t.Context())
	if err == nil || !strings.Contains(err.Error(), "recording statements") {
		t.Errorf("got %v, want an error that names the type", err)
	}
}

func TestALostDatagramIsNoError(t *testing.T) {
	t.Setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9") // nobody listens
	recorder, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the second write gets the answer to the first
		ctx, s, ok := begin(during(t.Context(), "1"), "x", "remote")
		if !ok {
			t.Fatal("nothing is recorded during an invocation")
		}
		recorder.end(ctx, s)
	}
	t.Setenv("AWS_XRAY_DAEMON_ADDRESS", "nowhere")
	if _, err := Open(); err == nil || !strings.Contains(err.Error(), "AWS_XRAY_DAEMON_ADDRESS") {
		t.Errorf("got %v, want an error that names the variable", err)
	}
}
