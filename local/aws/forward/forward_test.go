package forward_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/forward"
	"restock/local/aws/iam"
)

const (
	region   = "eu-west-1"
	role     = "arn:aws:iam::000000000000:role/save"
	function = "arn:aws:lambda:eu-west-1:000000000000:function:save"
	table    = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders"
	bucket   = "arn:aws:s3:::photos"
)

// A received call is what the emulator got.
type received struct {
	request *http.Request
	body    string
}

// An endpoint passes calls on to an emulator, which answers with a status and a text.
type endpoint struct {
	url      string
	mu       sync.Mutex // for got, while calls are answered
	got      []received
	status   int
	answer   string
	log      bytes.Buffer
	function awsapi.Credentials // of function save
}

// newEndpoint starts an endpoint for a program in which function save has a policy with the
// statements.
func newEndpoint(t *testing.T, unchecked bool, statements string, more ...*graph.Resource) *endpoint {
	t.Helper()
	e := &endpoint{status: http.StatusOK, answer: "done"}
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		e.mu.Lock()
		e.got = append(e.got, received{r, string(body)})
		e.mu.Unlock()
		w.Header().Set("X-Emulator", "yes")
		if r.URL.Query().Has("location") {
			answer := map[string]string{"/tables": "[]", "/new": "<Error><Code>NoSuchBucket</Code></Error>"}[r.URL.Path]
			io.WriteString(w, cmp.Or(answer, "<LocationConstraint/>"))
			return
		}
		w.WriteHeader(e.status)
		if r.Header.Get("X-Amz-Target") == "TrentService.CreateKey" {
			io.WriteString(w, `{"KeyMetadata":{"KeyId":"real"}}`)
			return
		}
		io.WriteString(w, e.answer)
	}))
	t.Cleanup(emulator.Close)
	g := &graph.Graph{Region: region, Resources: append(more,
		resource(graph.Role, "save", map[string]any{"name": "save", "arn": role}),
		resource(graph.Function, "save", map[string]any{"name": "save", "arn": function, "role": role,
			"vpcConfig": map[string]any{"subnetIds": []any{"private"}}}),
		resource(graph.RolePolicy, "save", map[string]any{
			"role": "save", "policy": `{"Statement":[` + statements + `]}`,
		}),
		resource(graph.Subnet, "private", map[string]any{"vpcId": "vpc"}),
		resource(graph.Table, "orders", map[string]any{"name": "orders", "arn": table, "hashKey": "id",
			"billingMode": "PAY_PER_REQUEST", "attributes": []any{map[string]any{"name": "id", "type": "S"}}}),
		resource(graph.PlainBucket, "photos", map[string]any{"bucket": "photos", "arn": bucket}),
	)}
	log := slog.New(slog.NewTextHandler(&e.log, nil))
	authority, err := iam.New(iam.Config{Graph: g, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	var apis []awsapi.Service
	for _, m := range append(forward.Models(), forward.Unknown("textract")) {
		s := m.StandIn(forward.Config{
			Context: t.Context(), Region: region,
			Emulator:  forward.NewEmulator("an emulator", func() (string, error) { return emulator.URL, nil }),
			Unchecked: unchecked, Log: log,
		})
		if err := s.Create(g); err != nil {
			t.Fatal(err)
		}
		apis = append(apis, s.APIs...)
	}
	server := httptest.NewServer(awsapi.NewAuthorizedHandler(log, region, authority, apis...))
	t.Cleanup(server.Close)
	e.url = server.URL
	c, release := authority.Issue(role, "save")
	t.Cleanup(release)
	e.function = c
	return e
}

func resource(token graph.Type, name string, outputs map[string]any) *graph.Resource {
	return &graph.Resource{
		URN: string(token) + "::" + name, Type: token, Name: name, ID: name, Outputs: outputs, Source: "save.go:7",
	}
}

// call sends a signed call. headers are names and values in turn.
func (e *endpoint) call(t *testing.T, c awsapi.Credentials, service, method, path, body string, headers ...string) (
	status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, e.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	payload := hex.EncodeToString(sum[:])
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", payload)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if given := r.Header.Get("X-Amz-Content-Sha256"); given != "" {
		payload = given
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	if err := signer.SignHTTP(t.Context(), aws.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
	}, r, payload, service, region, time.Now()); err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (e *endpoint) put(t *testing.T, key string, headers ...string) (int, string) {
	return e.call(t, e.function, "s3", "PUT", "/photos/"+key+"?x-id=PutObject", "pixels", headers...)
}

func (e *endpoint) order(t *testing.T, operation string) (int, string) {
	return e.call(t, e.function, "dynamodb", "POST", "/", `{"TableName":"orders"}`,
		"X-Amz-Target", "DynamoDB_20120810."+operation)
}

// Who may not list a bucket does not learn which objects it lacks.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func TestOnlyWhoMayListABucketLearnsThatAnObjectIsMissing(t *testing.T) {
	const (
		mayGet   = `{"Effect":"Allow","Action":"s3:GetObject*","Resource":"` + bucket + `/*"}`
		mayList  = `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"` + bucket + `"}`
		noKey    = "<Error><Code>NoSuchKey</Code></Error>"
		noBucket = "<Error><Code>NoSuchBucket</Code></Error>"
		missing  = `missing="Allow s3:ListBucket on ` + bucket + `"`
	)
	for _, c := range []struct {
		statements, method, path string
		status                   int // of the emulator
		answer                   string
		want                     int
	}{
		{mayGet, "GET", "a", 404, noKey, 403},
		{mayGet, "GET", "a?attributes", 404, noKey, 403},
		{mayGet, "HEAD", "a", 404, "", 403},
		{mayGet, "GET", "a", 404, noBucket, 404},
		{mayGet, "GET", "a", 500, noKey, 500},
		{mayGet, "GET", "a?tagging", 404, noKey, 404},
		{mayGet, "GET", "a", 200, "NoSuchKey", 200},
		{mayGet + "," + mayList, "GET", "a", 404, noKey, 404},
		{mayGet + "," + mayList, "HEAD", "a", 404, "", 404},
	} {
		e := newEndpoint(t, false, c.statements)
		e.status, e.answer = c.status, c.answer
		status, answer := e.call(t, e.function, "s3", c.method, "/photos/"+c.path, "")
		if status != c.want {
			t.Errorf("%+v: got %d %s", c, status, answer)
		}
		refused := "s3:ListBucket on resource: " + bucket + " because no identity-based policy allows"
		if c.want == 403 && (c.method == "GET" && !strings.Contains(answer, refused) ||
			!strings.Contains(e.log.String(), missing)) {
			t.Errorf("%+v: got %s, and the log\n%s\nwant %s", c, answer, e.log.String(), missing)
		}
		if c.want == c.status && c.method == "GET" && answer != c.answer {
			t.Errorf("%+v: got %s", c, answer)
		}
	}
}

// S3 asks KMS with the permissions of the function: the role's policy and the key's policy decide.
func TestABucketsKeyIsUsedWithThePermissionsOfTheCaller(t *testing.T) {
	const key = "arn:aws:kms:eu-west-1:000000000000:key/k1"
	mayUse := `{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"` + key + `"}`
	encryption := resource(graph.BucketEncryption, "photos", map[string]any{"bucket": "photos", "rules": []any{
		map[string]any{"applyServerSideEncryptionByDefault": map[string]any{"kmsMasterKeyId": key}},
	}})
	through := func(service string) string {
		return `{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"kms:*",` +
			`"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"` + service + `.eu-west-1.amazonaws.com"}}}}`
	}
	ofObject := func(name string) string {
		return strings.Replace(through("s3"), `"kms:ViaService"`,
			`"kms:EncryptionContext:aws:s3:arn":"`+bucket+`/`+name+`","kms:ViaService"`, 1)
	}
	for name, c := range map[string]struct {
		statements, policy string
		refusal, in        string // a part of the answer, and of the log; empty for none
	}{
		"with the grant":    {mayPut + "," + mayUse, "", "", ""},
		"without the grant": {mayPut, "", "no identity-based policy allows", `"save.go:7, in the role's policy"`},
		"through S3":        {mayPut + "," + mayUse, through("s3"), "", ""},
		"for the object":    {mayPut + "," + mayUse, ofObject("a"), "", ""},
		"for another object": {mayPut + "," + mayUse, ofObject("b"), "no resource-based policy allows",
			`"save.go:7, in the key's policy"`},
		"through another service": {mayPut + "," + mayUse, through("sqs"), "no resource-based policy allows",
			`"save.go:7, in the key's policy"`},
	} {
		declared := resource(graph.Key, "k1", map[string]any{"arn": key, "policy": c.policy})
		e := newEndpoint(t, false, c.statements, encryption, declared)
		e.got = nil
		status, answer := e.put(t, "a")
		if c.refusal == "" {
			if status != 200 || len(e.got) != 1 {
				t.Errorf("%s: got %d %s", name, status, answer)
			}
			continue
		}
		want := "is not authorized to perform: kms:GenerateDataKey on resource: " + key + " because " + c.refusal
		if status != 403 || len(e.got) > 0 ||
			!strings.Contains(answer, want) || !strings.Contains(e.log.String(), c.in) {
			t.Errorf("%s: got %d %s, and the log\n%s\nwant %s, %s", name, status, answer, e.log.String(), want, c.in)
		}
	}
}

const (
	mayPut   = `{"Effect":"Allow","Action":"s3:PutObject","Resource":"` + bucket + `/*"}`
	mayOrder = `{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"` + table + `"}`
)

func TestDeclaredResourcesAreCreated(t *testing.T) {
	e := newEndpoint(t, false, mayPut)
	var got []string
	for _, c := range e.got {
		got = append(got, c.request.Method+" "+c.request.URL.Path+" "+c.request.Header.Get("X-Amz-Target")+" "+
			strings.TrimSpace(c.body))
	}
	want := []string{"PUT /photos  ", "GET /photos  ", `POST / DynamoDB_20120810.CreateTable {"AttributeDefinitions":` +
		`[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST","KeySchema":` +
		`[{"AttributeName":"id","KeyType":"HASH"}],"TableName":"orders"}`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestABucketWhosePathTheEmulatorUsesOtherwiseIsRefused(t *testing.T) {
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/tables" {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
		io.WriteString(w, "healthy")
	}))
	t.Cleanup(emulator.Close)
	for _, name := range []string{"health", "tables"} {
		s := forward.Models()[0].StandIn(forward.Config{
			Context: t.Context(), Region: region,
			Emulator: forward.NewEmulator("an emulator", func() (string, error) { return emulator.URL, nil }),
		})
		err := s.Create(&graph.Graph{Resources: []*graph.Resource{
			resource(graph.Bucket, name, map[string]any{"bucket": name}),
		}})
		if want := "give the bucket another name (save.go:7)"; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want an error that ends with %s", name, err, want)
		}
	}
}

func TestACallOfABucketWhosePathTheEmulatorUsesOtherwiseIsRefused(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		answer       string // a part of it
	}{
		{"GET", "/tables", 404, "<Code>NoSuchBucket</Code>"},
		{"PUT", "/tables/a", 404, "another service: give the bucket another name"},
		{"HEAD", "/tables/a", 404, ""},
		{"PUT", "/tables", 409, "<Code>BucketAlreadyExists</Code>"},
		{"PUT", "/new", 200, ""},
		{"PUT", "/made/a", 200, ""}, // a call has created the bucket
		{"PUT", "/photos/a", 200, ""},
	} {
		e := newEndpoint(t, false, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
		e.got = nil
		status, answer := e.call(t, e.function, "s3", c.method, c.path, "")
		passed := slices.ContainsFunc(e.got, func(got received) bool {
			return !got.request.URL.Query().Has("location")
		})
		if status != c.status || passed != (c.status == 200) || !strings.Contains(answer, c.answer) {
			t.Errorf("%s %s: got %d %s, passed on: %v; want %d %s",
				c.method, c.path, status, answer, passed, c.status, c.answer)
		}
	}
}

func TestDeclaredObjectsAreCreated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	object := func(kind graph.Type, name string, outputs map[string]any) *graph.Resource {
		outputs["bucket"] = "photos"
		return resource(kind, name, outputs)
	}
	e := newEndpoint(t, false, mayPut,
		object(graph.PlainBucketObject, "docs/a b?.html", map[string]any{"source": file, "contentType": "text/html"}),
		object(graph.BucketObject, "text", map[string]any{"source": map[string]any{graph.TextAsset: "a text"}}),
		object(graph.BucketObject, "inline", map[string]any{"key": "k", "content": "inline"}),
		object(graph.BucketObject, "bytes", map[string]any{"contentBase64": "Ynl0ZXM="}))
	for _, want := range []struct{ path, body, kind string }{
		{"/photos/docs/a b?.html", "from a file", "text/html"},
		{"/photos/text", "a text", ""},
		{"/photos/k", "inline", ""},
		{"/photos/bytes", "bytes", ""},
	} {
		i := slices.IndexFunc(e.got, func(c received) bool { return c.request.URL.Path == want.path })
		if i < 0 || e.got[i].body != want.body || e.got[i].request.Method != "PUT" {
			t.Errorf("%s was not created with %q: got %+v", want.path, want.body, e.got)
		} else if got := e.got[i].request.Header.Get("Content-Type"); got != want.kind {
			t.Errorf("%s has the type %q, want %q", want.path, got, want.kind)
		}
	}
}

func TestObjectsWithoutAKnownContentAreNamed(t *testing.T) {
	emulator := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the emulator gets %s %s", r.Method, r.URL)
	}))
	t.Cleanup(emulator.Close)
	for want, source := range map[string]map[string]any{
		"its source is at a URI":               {graph.URIAsset: "https://x.test/?key=hidden"},
		"its source is an archive of assets":   {"a.txt": map[string]any{graph.TextAsset: "a"}},
		"its source is an archive of assets, ": {},
	} {
		var log bytes.Buffer
		s := forward.Models()[0].StandIn(forward.Config{
			Context: t.Context(), Region: region, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Emulator: forward.NewEmulator("an emulator", func() (string, error) { return emulator.URL, nil }),
		})
		err := s.Create(&graph.Graph{Resources: []*graph.Resource{
			resource(graph.BucketObject, "page", map[string]any{"bucket": "photos", "source": source}),
		}})
		text := log.String()
		if err != nil || !strings.Contains(text, want) || !strings.Contains(text, "declared_in=save.go:7") ||
			strings.Contains(text, "hidden") {
			t.Errorf("%v: got %v and the log %s, want %q in it", source, err, text, want)
		}
	}
}

func TestAnAllowedCallReachesTheEmulator(t *testing.T) {
	e := newEndpoint(t, false, mayPut+","+mayOrder)
	e.got = nil
	for _, headers := range [][]string{
		{"X-Amz-Meta-Of", "a cat"},
		{"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"},
		{"X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
	} {
		if status, answer := e.put(t, "a%20cat%2B.jpg", headers...); status != 200 || answer != "done" {
			t.Errorf("%q: got %d %s", headers, status, answer)
		}
	}
	if status, answer := e.order(t, "PutItem"); status != 200 || answer != "done" {
		t.Errorf("got %d %s", status, answer)
	}
	if len(e.got) != 4 {
		t.Fatalf("the emulator got %d calls, want 4", len(e.got))
	}
	put, order := e.got[0], e.got[3]
	if path := put.request.URL.EscapedPath(); path != "/photos/a%20cat%2B.jpg" || put.body != "pixels" ||
		put.request.Header.Get("X-Amz-Meta-Of") != "a cat" {
		t.Errorf("got %s with %q and %v", path, put.body, put.request.Header)
	}
	if target := order.request.Header.Get("X-Amz-Target"); order.body != `{"TableName":"orders"}` ||
		target != "DynamoDB_20120810.PutItem" {
		t.Errorf("got %q with %v", order.body, order.request.Header)
	}
	for _, c := range e.got {
		// The emulator can verify the signature, and does not get the function's credentials.
		service := map[bool]string{true: "dynamodb", false: "s3"}[c.request.URL.Path == "/"]
		_, err := awsapi.Authenticate(c.request, []byte(c.body), awsapi.Scope{Service: service, Region: region},
			func(string) (awsapi.Credentials, bool) { return iam.Person, true })
		if err != nil || c.request.Header.Get("X-Amz-Security-Token") != "" {
			t.Errorf("%s: %v; headers %v", c.request.URL, err, c.request.Header)
		}
	}
}

func TestACallWithoutItsGrantIsRefused(t *testing.T) {
	e := newEndpoint(t, false, `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`)
	e.got = nil
	const user = "User: arn:aws:sts::000000000000:assumed-role/save/save is not authorized to perform: "
	status, answer := e.put(t, "a.jpg")
	if want := "<Error><Code>AccessDenied</Code><Message>" + user + "s3:PutObject on resource: " + bucket +
		"/a.jpg because no identity-based policy allows the s3:PutObject action</Message>"; status != 403 ||
		!strings.Contains(answer, want) {
		t.Errorf("got %d %s\nwant 403 and %s", status, answer, want)
	}
	status, answer = e.order(t, "PutItem")
	if want := `{"__type":"AccessDeniedException","message":"` + user + "dynamodb:PutItem on resource: " + table +
		` because no identity-based policy allows the dynamodb:PutItem action"}`; status != 400 ||
		!strings.Contains(answer, want) {
		t.Errorf("got %d %s\nwant 400 and %s", status, answer, want)
	}
	if len(e.got) > 0 {
		t.Errorf("the emulator got %v", e.got)
	}
	for _, missing := range []string{
		`missing="Allow s3:PutObject on ` + bucket + `/a.jpg" declared_in="save.go:7, in the role's policy"`,
		`missing="Allow dynamodb:PutItem on ` + table + `" declared_in="save.go:7, in the role's policy"`,
	} {
		if !strings.Contains(e.log.String(), missing) {
			t.Errorf("the log does not say %s:\n%s", missing, e.log.String())
		}
	}
}

func TestPoliciesOfEndpointsBucketsAndTablesDecide(t *testing.T) {
	policy := func(effect, action, on string) string {
		return `{"Statement":{"Effect":"` + effect + `","Principal":"*","Action":"` + action +
			`","Resource":"` + on + `"}}`
	}
	for name, c := range map[string]struct {
		more       *graph.Resource
		put, order bool
		logged     string
	}{
		"none": {resource(graph.VPCEndpoint, "dynamodb", map[string]any{"vpcId": "vpc",
			"serviceName": "com.amazonaws.eu-west-1.dynamodb"}), true, true, ""},
		"an endpoint's": {resource(graph.VPCEndpoint, "dynamodb", map[string]any{"vpcId": "vpc",
			"vpcEndpointType": "Interface", "privateDnsEnabled": true,
			"serviceName": "com.amazonaws.eu-west-1.dynamodb", "policy": policy("Allow", "*", table+"s")}), true, false,
			`no VPC endpoint policy allows the dynamodb:PutItem action`},
		"a bucket's": {resource(graph.BucketPolicy, "photos", map[string]any{"bucket": "photos",
			"policy": policy("Deny", "s3:*", bucket+"/*")}), false, true,
			`denied_by="BucketPolicy photos" declared_in="save.go:7, in the bucket's policy"`},
		"a table's": {resource(graph.TablePolicy, "orders", map[string]any{"resourceArn": table,
			"policy": policy("Deny", "dynamodb:*", table)}), true, false, `in the table's policy`},
	} {
		e := newEndpoint(t, false, mayPut+","+mayOrder, c.more)
		put, _ := e.put(t, "a.jpg")
		order, _ := e.order(t, "PutItem")
		if (put == 200) != c.put || (order == 200) != c.order || !strings.Contains(e.log.String(), c.logged) {
			t.Errorf("%s: got %d and %d, want success %v and %v\n%s", name, put, order, c.put, c.order, e.log.String())
		}
	}
}

func TestACallWithoutAModelIsRefused(t *testing.T) {
	const all = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	for _, c := range []struct {
		unchecked, person bool
		want              int
	}{{false, false, 400}, {true, false, 200}, {false, true, 200}} {
		e := newEndpoint(t, c.unchecked, all)
		caller := e.function
		if c.person {
			caller = iam.Person
		}
		for _, service := range []string{"dynamodb", "textract"} {
			status, answer := e.call(t, caller, service, "POST", "/", "{}",
				"X-Amz-Target", "DynamoDB_20120810.ImportTable")
			if status != c.want {
				t.Errorf("%s, %+v: got %d %s", service, c, status, answer)
			}
			if c.want == 400 && !strings.Contains(answer, "does not know which permissions the call") {
				t.Errorf("%s: got %s", service, answer)
			}
		}
		if refused := strings.Contains(e.log.String(), "start the run with -unchecked"); refused != (c.want == 400) {
			t.Errorf("%+v: the log is %s", c, e.log.String())
		}
	}
}

// An emulator such as kumo routes by the method and the path: with a target of DynamoDB, a GET of
// an object's path would still be answered by S3.
func TestACallOfAnotherServiceIsRefused(t *testing.T) {
	e := newEndpoint(t, false, `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`)
	e.got = nil
	for _, c := range [][2]string{{"GET", "/"}, {"GET", "/photos/a"}, {"POST", "/photos/a"}, {"POST", "/?delete"}} {
		status, answer := e.call(t, e.function, "dynamodb", c[0], c[1], `{"TableName":"orders"}`,
			"X-Amz-Target", "DynamoDB_20120810.ListTables")
		if status != 400 || !strings.Contains(answer, "POST requests to the path /") || len(e.got) > 0 {
			t.Errorf("%s: got %d %s, and the emulator got %v", c, status, answer, e.got)
		}
	}
	if status, answer := e.order(t, "ListTables"); status != 200 {
		t.Errorf("got %d %s", status, answer)
	}
}

// The race detector decides.
func TestKeysAreUsedAtTheSameTime(t *testing.T) {
	const key = "arn:aws:kms:eu-west-1:000000000000:key/k1"
	e := newEndpoint(t, false, `{"Effect":"Allow","Action":"kms:Encrypt","Resource":"`+key+`"}`,
		resource(graph.Key, "k1", map[string]any{"arn": key}))
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			status, answer := e.call(t, e.function, "kms", "POST", "/", `{"KeyId":"k1"}`,
				"X-Amz-Target", "TrentService.Encrypt")
			if status != 200 {
				t.Errorf("got %d %s", status, answer)
			}
		})
	}
	calls.Wait()
	if got := e.got[len(e.got)-1].body; got != `{"KeyId":"real"}` {
		t.Errorf("the emulator got %s", got)
	}
}

func TestTheEndOfARunEndsTheCreationOfItsResources(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	emulator := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // the server sees the caller's end only after the body
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(emulator.Close)
	g := &graph.Graph{Region: region, Resources: []*graph.Resource{
		resource(graph.PlainBucket, "photos", map[string]any{"bucket": "photos", "arn": bucket}),
	}}
	err := forward.Models()[0].StandIn(forward.Config{
		Context: ctx, Region: region, Log: slog.New(slog.DiscardHandler),
		Emulator: forward.NewEmulator("an emulator", func() (string, error) { return emulator.URL, nil }),
	}).Create(g)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the run", err)
	}
}

func TestAWrongSignatureIsRefused(t *testing.T) {
	e := newEndpoint(t, true, mayPut)
	e.got = nil
	wrong := e.function
	wrong.SecretAccessKey = "guessed"
	status, answer := e.call(t, wrong, "s3", "PUT", "/photos/a", "pixels")
	if status != 403 || !strings.Contains(answer, "<Code>SignatureDoesNotMatch</Code>") || len(e.got) > 0 {
		t.Errorf("got %d %s, and the emulator %v", status, answer, e.got)
	}
}

func TestTheRunSaysWhatAnEmulatorLacks(t *testing.T) {
	e := newEndpoint(t, false, mayPut+","+mayOrder)
	for _, c := range []struct {
		status int
		answer string
	}{
		{http.StatusBadRequest, `{"__type":"ConditionalCheckFailedException"}`},
		{http.StatusBadRequest, `{"__type":"UnknownOperationException"}`},
		{http.StatusBadRequest, `{"__type":"UnknownOperationException"}`},
	} {
		e.status, e.answer = c.status, c.answer
		if status, answer := e.order(t, "PutItem"); status != c.status || answer != c.answer {
			t.Errorf("got %d %s, want %d %s", status, answer, c.status, c.answer)
		}
	}
	const warning = `the emulator does not support this call: it fails here, and may work on AWS"`
	const call = `service=dynamodb operation=PutItem emulator="an emulator" ` +
		`answer="{\"__type\":\"UnknownOperationException\"}"`
	if n := strings.Count(e.log.String(), warning); n != 1 || !strings.Contains(e.log.String(), call) {
		t.Errorf("got %d warnings, want 1:\n%s", n, e.log.String())
	}
}
