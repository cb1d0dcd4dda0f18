package forward

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
)

// A reading is a request, and what the model reads in it: the operation and the permissions, or a
// part of the error.
type reading struct {
	request   *http.Request
	body      string
	operation string
	needs     []string // "action resource", sorted
	err       string
}

func checkReadings(t *testing.T, m Model, readings map[string]reading) {
	t.Helper()
	for name, c := range readings {
		q := Request{
			Request: c.request, Body: []byte(c.body), Region: "eu-west-1", Graph: declaredKeys, target: m.Target,
		}
		operation, needs, err := m.Read(q)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %s %v and the error %v, want an error with %q", name, operation, needs, err, c.err)
			}
			continue
		}
		var got []string
		for _, n := range needs {
			text := n.Action + " " + n.Resource
			if n.Via != "" {
				text += " via " + n.Via
			}
			got = append(got, text)
		}
		slices.Sort(got)
		if err != nil || operation != c.operation || !slices.Equal(got, c.needs) {
			t.Errorf("%s: got %s %q, %v\nwant %s %q", name, operation, got, err, c.operation, c.needs)
		}
	}
}

// declaredKeys has a key with an alias, and what it encrypts: a parameter, buckets and a table.
var declaredKeys = &graph.Graph{Region: "eu-west-1", Resources: []*graph.Resource{
	{Type: graph.Key, Name: "own", ID: "k1", Outputs: map[string]any{"arn": keyARN + "k1"}},
	{Type: graph.Key, Name: "other", ID: "k2", Outputs: map[string]any{"arn": keyARN + "k2"}},
	{Type: graph.KeyAlias, Name: "own", Outputs: map[string]any{"name": "alias/own", "targetKeyId": "k1"}},
	{Type: graph.Parameter, Name: "token", Outputs: map[string]any{
		"arn": parameter + "app/token", "keyId": "alias/own",
	}},
	{Type: graph.BucketEncryption, Name: "files", Outputs: map[string]any{"bucket": "files", "rules": []any{
		object{"applyServerSideEncryptionByDefault": object{
			"sseAlgorithm": "aws:kms", "kmsMasterKeyId": keyARN + "k1"}},
	}}},
	{Type: graph.PlainBucketEncryption, Name: "newer", Outputs: map[string]any{"bucket": "newer", "rules": []any{
		object{"applyServerSideEncryptionByDefault": object{
			"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "alias/own"}, "bucketKeyEnabled": true},
	}}},
	{Type: graph.PlainBucket, Name: "older", Outputs: map[string]any{"bucket": "older",
		"serverSideEncryptionConfiguration": object{"rule": object{"applyServerSideEncryptionByDefault": object{
			"sseAlgorithm": "aws:kms:dsse", "kmsMasterKeyId": "k1"}}}}},
	{Type: graph.PlainBucket, Name: "plain", Outputs: map[string]any{"bucket": "plain",
		"serverSideEncryptionConfiguration": object{"rule": object{"applyServerSideEncryptionByDefault": object{
			"sseAlgorithm": "aws:kms"}}}}},
	{Type: graph.Table, Name: "ledger", Outputs: map[string]any{"arn": tableARN + "ledger", "name": "ledger",
		"serverSideEncryption": object{"enabled": true, "kmsKeyArn": keyARN + "k1"}}},
	{Type: graph.Table, Name: "managed", Outputs: map[string]any{"arn": tableARN + "managed",
		"serverSideEncryption": object{"enabled": true}}},
}}

type object = map[string]any

const (
	keyARN    = "arn:aws:kms:eu-west-1:000000000000:key/"
	parameter = "arn:aws:ssm:eu-west-1:000000000000:parameter/"
	tableARN  = "arn:aws:dynamodb:eu-west-1:000000000000:table/"
)

// calling returns a function that makes readings of calls of a JSON service. refused makes those
// with errors.
func calling(target string) (call func(operation, body string, want ...string) reading,
	refused func(operation, body, err string) reading) {
	call = func(operation, body string, want ...string) reading {
		return reading{plain("POST", "/", "X-Amz-Target", target+"."+operation), body, operation, want, ""}
	}
	return call, func(operation, body, err string) reading {
		c := call(operation, body)
		c.err = err
		return c
	}
}

// plain makes a request; headers are names and values in turn.
func plain(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func TestS3Permissions(t *testing.T) {
	const photos = "arn:aws:s3:::photos"
	delete := func(key string) string { return "<Object><Key>" + key + "</Key></Object>" }
	checkReadings(t, s3(), map[string]reading{
		"buckets": {plain("GET", "/?x-id=ListBuckets"), "", "ListBuckets",
			[]string{"s3:ListAllMyBuckets *"}, ""},
		"put": {plain("PUT", "/photos/a/b.jpg?x-id=PutObject"), "", "PutObject",
			[]string{"s3:PutObject " + photos + "/a/b.jpg"}, ""},
		"head": {plain("HEAD", "/photos/a"), "", "HeadObject", []string{"s3:GetObject " + photos + "/a"}, ""},
		"version": {plain("GET", "/photos/a?versionId=1"), "", "GetObject",
			[]string{"s3:GetObjectVersion " + photos + "/a"}, ""},
		"list": {plain("GET", "/photos?list-type=2&prefix=a"), "", "ListObjects",
			[]string{"s3:ListBucket " + photos}, ""},
		"list, slash": {plain("GET", "/photos/?list-type=2"), "", "ListObjects",
			[]string{"s3:ListBucket " + photos}, ""},
		"versions": {plain("GET", "/photos?versions"), "", "ListObjectVersions",
			[]string{"s3:ListBucketVersions " + photos}, ""},
		"CORS": {plain("DELETE", "/photos?cors"), "", "DeleteBucketCors",
			[]string{"s3:PutBucketCORS " + photos}, ""},
		"part": {plain("PUT", "/photos/a?partNumber=1&uploadId=u"), "", "UploadPart",
			[]string{"s3:PutObject " + photos + "/a"}, ""},
		"parts": {plain("GET", "/photos/a?uploadId=u"), "", "ListParts",
			[]string{"s3:ListMultipartUploadParts " + photos + "/a"}, ""},
		"tags and an ACL": {plain("PUT", "/photos/a", "x-amz-tagging", "k=v", "x-amz-acl", "public-read"), "",
			"PutObject",

			[]string{
				"s3:PutObject " + photos + "/a", "s3:PutObjectAcl " + photos + "/a",
				"s3:PutObjectTagging " + photos + "/a",
			}, ""},
		"copy": {plain("PUT", "/photos/a", "x-amz-copy-source", "/old/b%20c"), "", "CopyObject",
			[]string{"s3:GetObject arn:aws:s3:::old/b c", "s3:PutObject " + photos + "/a"}, ""},
		"copy of a version": {plain("PUT", "/photos/a", "x-amz-copy-source", "old/b?versionId=3"), "", "CopyObject",
			[]string{"s3:GetObjectVersion arn:aws:s3:::old/b", "s3:PutObject " + photos + "/a"}, ""},
		"deletions": {plain("POST", "/photos?delete="), "<Delete>" + delete("a") + delete("b") + "</Delete>",
			"DeleteObjects",
			[]string{"s3:DeleteObject " + photos + "/a", "s3:DeleteObject " + photos + "/b"}, ""},
		"deletions in spite of a retention": {
			plain("POST", "/photos?delete", "x-amz-bypass-governance-retention", "true"),
			"<Delete>" + delete("a") + delete("b") + "</Delete>", "DeleteObjects",
			[]string{
				"s3:BypassGovernanceRetention " + photos + "/a", "s3:BypassGovernanceRetention " + photos + "/b",
				"s3:DeleteObject " + photos + "/a", "s3:DeleteObject " + photos + "/b",
			}, ""},
		"a public bucket": {plain("PUT", "/photos", "x-amz-acl", "public-read"), "", "CreateBucket",
			[]string{"s3:CreateBucket " + photos, "s3:PutBucketAcl " + photos}, ""},
		"attributes": {plain("GET", "/photos/a?attributes"), "", "GetObjectAttributes",
			[]string{"s3:GetObject " + photos + "/a", "s3:GetObjectAttributes " + photos + "/a"}, ""},

		"no deletions": {plain("POST", "/photos?delete"), "<Delete/>", "", nil, "lists no objects"},
		"a copy of nothing": {plain("PUT", "/photos/a", "x-amz-copy-source", "old"),
			"", "", nil, "is not a bucket and a key"},
		"an unknown part": {plain("GET", "/photos?analytics&id=1"), "", "", nil, `is like "GET analytics id"`},
		"two parts":       {plain("GET", "/photos/a?acl&tagging"), "", "", nil, `is like "GET acl tagging"`},
		"a form":          {plain("POST", "/photos"), "", "", nil, `is like "POST"`},
		"an access point": {plain("GET", "/arn:aws:s3:eu-west-1:0:accesspoint/a"),
			"", "", nil, "no access points"},
		"another bucket":   {plain("GET", "/photos/../secret/a"), "", "", nil, "may change the path"},
		"an empty part":    {plain("GET", "/photos/a//b"), "", "", nil, "may change the path"},
		"an empty bucket":  {plain("GET", "//photos/a"), "", "", nil, "may change the path"},
		"another bucket's": {plain("DELETE", "/../photos"), "", "", nil, "may change the path"},
		"the same bucket":  {plain("DELETE", "/./photos"), "", "", nil, "may change the path"},
		"no bucket":        {plain("GET", "/.."), "", "", nil, "may change the path"},
		"a folder":         {plain("PUT", "/photos/dir/"), "", "", nil, "may change the path"},
		"a source's folder": {plain("PUT", "/photos/a", "x-amz-copy-source", "/old/b/"),
			"", "", nil, "may change the path"},
		"two keys": {plain("POST", "/photos?delete"), "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
			"", nil, "has not one key"},
		"a version of a part": {plain("PUT", "/photos/a?versionId=1"), "", "", nil, "takes no versionId"},
	})
}

// S3 uses the key of a bucket with the permissions of its caller.
func TestS3PermissionsOnKeys(t *testing.T) {
	const (
		file     = "arn:aws:s3:::files/a"
		via      = " via s3.eu-west-1.amazonaws.com"
		decrypt  = "kms:Decrypt " + keyARN + "k1" + via
		generate = "kms:GenerateDataKey " + keyARN + "k1" + via
		kind     = "x-amz-server-side-encryption"
		id       = kind + "-aws-kms-key-id"
		customer = kind + "-customer-algorithm"
	)
	put, get := "s3:PutObject ", "s3:GetObject "
	checkReadings(t, s3(), map[string]reading{
		"get":  {plain("GET", "/files/a"), "", "GetObject", []string{decrypt, get + file}, ""},
		"put":  {plain("PUT", "/files/a"), "", "PutObject", []string{generate, put + file}, ""},
		"head": {plain("HEAD", "/files/a"), "", "HeadObject", []string{get + file}, ""},
		"head, with a checksum": {plain("HEAD", "/files/a", "x-amz-checksum-mode", "ENABLED"), "", "HeadObject",
			[]string{decrypt, get + file}, ""},
		"delete": {plain("DELETE", "/files/a"), "", "DeleteObject", []string{"s3:DeleteObject " + file}, ""},
		"list":   {plain("GET", "/files"), "", "ListObjects", []string{"s3:ListBucket arn:aws:s3:::files"}, ""},
		"an upload": {plain("POST", "/files/a?uploads"), "", "CreateMultipartUpload",
			[]string{generate, put + file}, ""},
		"a part": {plain("PUT", "/files/a?partNumber=1&uploadId=u"), "", "UploadPart",
			[]string{decrypt, put + file}, ""},
		"the end of an upload": {plain("POST", "/files/a?uploadId=u"), "", "CompleteMultipartUpload",
			[]string{decrypt, put + file}, ""},
		"a copy out": {plain("PUT", "/photos/a", "x-amz-copy-source", "/files/a"), "", "CopyObject",
			[]string{decrypt, get + file, put + "arn:aws:s3:::photos/a"}, ""},
		"a copy in": {plain("PUT", "/files/a", "x-amz-copy-source", "/photos/a"), "", "CopyObject",
			[]string{generate, get + "arn:aws:s3:::photos/a", put + file}, ""},
		"a bucket of version 7 of the provider": {plain("GET", "/newer/a"), "", "GetObject",
			[]string{decrypt, get + "arn:aws:s3:::newer/a"}, ""},
		"a bucket of version 6 of the provider": {plain("GET", "/older/a"), "", "GetObject",
			[]string{decrypt, get + "arn:aws:s3:::older/a"}, ""},
		"a key of AWS": {plain("PUT", "/plain/a"), "", "PutObject", []string{put + "arn:aws:s3:::plain/a"}, ""},
		"a key of AWS, asked for": {plain("PUT", "/plain/a", kind, "aws:kms", id, "alias/aws/s3"), "", "PutObject",
			[]string{put + "arn:aws:s3:::plain/a"}, ""},
		"the bucket's key, asked for": {plain("PUT", "/files/a", kind, "aws:kms", id, "alias/own"), "", "PutObject",
			[]string{generate, put + file}, ""},

		"another key":         {plain("PUT", "/files/a", kind, "aws:kms", id, "k2"), "", "", nil, "than its bucket"},
		"no key":              {plain("PUT", "/files/a", kind, "AES256"), "", "", nil, "than its bucket"},
		"the caller's secret": {plain("PUT", "/files/a", customer, "AES256"), "", "", nil, "than its bucket"},
		"a key without need":  {plain("PUT", "/plain/a", kind, "aws:kms", id, "k1"), "", "", nil, "than its bucket"},
		"an unknown key":      {plain("PUT", "/files/a", kind, "aws:kms", id, "k9"), "", "", nil, `no key "k9"`},
		"the bucket's change": {plain("PUT", "/files?encryption"), "", "", nil, `is like "PUT encryption"`},
	})
}

// DynamoDB decrypts a table with the permissions of its caller.
func TestDynamoDBPermissionsOnKeys(t *testing.T) {
	const decrypt = "kms:Decrypt " + keyARN + "k1 via dynamodb.eu-west-1.amazonaws.com"
	call, refused := calling("DynamoDB_20120810")
	checkReadings(t, dynamodb(), map[string]reading{
		"get": call("GetItem", `{"TableName":"ledger"}`, "dynamodb:GetItem "+tableARN+"ledger", decrypt),
		"index": call("Query", `{"TableName":"ledger","IndexName":"by-day"}`,
			"dynamodb:Query "+tableARN+"ledger/index/by-day", decrypt),
		"transaction": call("TransactWriteItems",
			`{"TransactItems":[{"Put":{"TableName":"ledger"}},{"Delete":{"TableName":"ledger"}}]}`,
			"dynamodb:DeleteItem "+tableARN+"ledger", "dynamodb:PutItem "+tableARN+"ledger", decrypt),
		"description":  call("DescribeTable", `{"TableName":"ledger"}`, "dynamodb:DescribeTable "+tableARN+"ledger"),
		"a key of AWS": call("GetItem", `{"TableName":"managed"}`, "dynamodb:GetItem "+tableARN+"managed"),

		"another key": refused("UpdateTable", `{"TableName":"ledger","SSESpecification":{"Enabled":true}}`,
			"keys of tables from the program"),
	})
}

func TestDynamoDBPermissions(t *testing.T) {
	const table = tableARN
	call, refused := calling("DynamoDB_20120810")
	checkReadings(t, dynamodb(), map[string]reading{
		"put": call("PutItem", `{"TableName":"orders","Item":{}}`, "dynamodb:PutItem "+table+"orders"),
		"by ARN": call("GetItem", fmt.Sprintf(`{"TableName":%q}`, table+"orders"),
			"dynamodb:GetItem "+table+"orders"),
		"index": call("Query", `{"TableName":"orders","IndexName":"by-day"}`,
			"dynamodb:Query "+table+"orders/index/by-day"),
		"list": call("ListTables", `{}`, "dynamodb:ListTables *"),
		"tags": call("TagResource", fmt.Sprintf(`{"ResourceArn":%q}`, table+"orders"),
			"dynamodb:TagResource "+table+"orders"),
		"batch": call("BatchGetItem", `{"RequestItems":{"orders":{},"buyers":{}}}`,
			"dynamodb:BatchGetItem "+table+"buyers", "dynamodb:BatchGetItem "+table+"orders"),
		"transaction": call("TransactWriteItems",
			`{"TransactItems":[{"Put":{"TableName":"orders"}},{"ConditionCheck":{"TableName":"buyers"}},`+
				`{"Delete":{"TableName":"carts"}},{"Update":{"TableName":"carts"}}]}`,
			"dynamodb:ConditionCheckItem "+table+"buyers", "dynamodb:DeleteItem "+table+"carts",
			"dynamodb:PutItem "+table+"orders", "dynamodb:UpdateItem "+table+"carts"),
		"reads": call("TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"orders"}}]}`,
			"dynamodb:GetItem "+table+"orders"),

		"no table":               refused("PutItem", `{}`, "names no table"),
		"no tables":              refused("BatchGetItem", `{}`, "names no table"),
		"a part without a table": refused("TransactWriteItems", `{"TransactItems":[{"Put":{}}]}`, "names no table"),
		"PartiQL": refused("ExecuteStatement", `{"Statement":"SELECT * FROM \"orders\""}`,
			"does not read PartiQL"),
		"an unknown operation": refused("ImportTable", `{}`, `no permissions for the operation "ImportTable"`),
		"another service's": {plain("POST", "/", "X-Amz-Target", "AmazonSQS.PutItem"), `{}`, "", nil,
			`the operation ""`},
		"attributes": call("PutItem", `{"TableName":"orders","Item":{"tablename":{},"TableName":{}}}`,
			"dynamodb:PutItem "+table+"orders"),
		"two cases":  refused("PutItem", `{"TableName":"secret","tablename":"orders"}`, `"tablename", which may mean`),
		"other case": refused("PutItem", `{"tablename":"orders"}`, `"tablename", which may mean "TableName"`),
		"twice":      refused("PutItem", `{"TableName":"secret","TableName":"orders"}`, `"TableName" twice`),
		"a table twice": refused("BatchGetItem", `{"RequestItems":{"orders":{"Keys":[1]},"orders":{}}}`,
			`"orders" twice`),
		"two cases, in a part": refused("TransactWriteItems",
			`{"TransactItems":[{"Put":{"TableName":"secret","tableName":"orders"}}]}`, `"tableName", which may mean`),
		"two parts": refused("TransactWriteItems",
			`{"TransactItems":[{"Put":{"TableName":"secret"},"Put":{"TableName":"orders"}}]}`, `"Put" twice`),
		"no JSON": refused("PutItem", `{"TableName":`, "not the JSON"),
	})
}

func TestParameterPermissions(t *testing.T) {
	call, refused := calling("AmazonSSM")
	checkReadings(t, ssm(), map[string]reading{
		"get":     call("GetParameter", `{"Name":"/app/url"}`, "ssm:GetParameter "+parameter+"app/url"),
		"version": call("GetParameter", `{"Name":"url:3"}`, "ssm:GetParameter "+parameter+"url"),
		"by ARN": call("GetParameter", fmt.Sprintf(`{"Name":"%sapp/url:3"}`, parameter),
			"ssm:GetParameter "+parameter+"app/url"),
		"several": call("GetParameters", `{"Names":["a","b"]}`,
			"ssm:GetParameters "+parameter+"a", "ssm:GetParameters "+parameter+"b"),
		"path": call("GetParametersByPath", `{"Path":"/app"}`, "ssm:GetParametersByPath "+parameter+"app"),
		"decrypted": call("GetParameter", `{"Name":"/app/token","WithDecryption":true}`,
			"kms:Decrypt "+keyARN+"k1 via ssm.eu-west-1.amazonaws.com", "ssm:GetParameter "+parameter+"app/token"),
		"decrypted, by path": call("GetParametersByPath", `{"Path":"/app","WithDecryption":true}`,
			"kms:Decrypt "+keyARN+"k1 via ssm.eu-west-1.amazonaws.com", "ssm:GetParametersByPath "+parameter+"app"),
		"not encrypted": call("GetParameter", `{"Name":"/app/url","WithDecryption":true}`,
			"ssm:GetParameter "+parameter+"app/url"),
		"encrypted": call("PutParameter", `{"Name":"a","Type":"SecureString","KeyId":"alias/own"}`,
			"kms:Encrypt "+keyARN+"k1 via ssm.eu-west-1.amazonaws.com", "ssm:PutParameter "+parameter+"a"),

		"no name":        refused("GetParameter", `{}`, "names no parameter"),
		"no names":       refused("GetParameters", `{}`, "names no parameter"),
		"another type":   refused("AddTagsToResource", `{"ResourceType":"Document"}`, `type "Document"`),
		"a document":     refused("SendCommand", `{}`, "no permissions for the operation"),
		"an unknown key": refused("PutParameter", `{"Name":"a","Type":"SecureString","KeyId":"k9"}`, `no key "k9"`),
	})
}

func TestKeyPermissions(t *testing.T) {
	call, refused := calling("TrentService")
	checkReadings(t, kms(), map[string]reading{
		"by id":    call("Encrypt", `{"KeyId":"k1"}`, "kms:Encrypt "+keyARN+"k1"),
		"by ARN":   call("Decrypt", fmt.Sprintf(`{"KeyId":"%sk1"}`, keyARN), "kms:Decrypt "+keyARN+"k1"),
		"by alias": call("GenerateDataKey", `{"KeyId":"alias/own"}`, "kms:GenerateDataKey "+keyARN+"k1"),
		"two keys": call("ReEncrypt", `{"SourceKeyId":"k1","DestinationKeyId":"alias/own"}`,
			"kms:ReEncryptFrom "+keyARN+"k1", "kms:ReEncryptTo "+keyARN+"k1"),
		"random": call("GenerateRandom", `{}`, "kms:GenerateRandom *"),

		"no key":               refused("Decrypt", `{"CiphertextBlob":"eA=="}`, "cannot read the key's id"),
		"an unknown key":       refused("Encrypt", `{"KeyId":"k9"}`, `no key "k9"`),
		"an unknown operation": refused("ScheduleKeyDeletion", `{"KeyId":"k1"}`, "no permissions for the operation"),
	})
	body := []byte(`{"KeyId":"alias/own","Plaintext":"eA=="}`)
	got := string(replaceKeys(declaredKeys, map[string]string{"k1": "real"}, body))
	if want := `{"KeyId":"real","Plaintext":"eA=="}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStepFunctionsPermissions(t *testing.T) {
	const machine = "arn:aws:states:eu-west-1:000000000000:stateMachine:pay"
	call, refused := calling("AWSStepFunctions")
	checkReadings(t, states(), map[string]reading{
		"start":     call("StartExecution", `{"stateMachineArn":"`+machine+`"}`, "states:StartExecution "+machine),
		"execution": call("DescribeExecution", `{"executionArn":"e"}`, "states:DescribeExecution e"),
		"list":      call("ListStateMachines", `{}`, "states:ListStateMachines *"),
		"a role": call("UpdateStateMachine", `{"stateMachineArn":"`+machine+`","roleArn":"role"}`,
			"iam:PassRole role", "states:UpdateStateMachine "+machine),
		"nothing":   refused("StartExecution", `{}`, "names no state machine"),
		"Go's case": refused("StartExecution", `{"StateMachineArn":"`+machine+`"}`, `may mean "stateMachineArn"`),
		"a token":   refused("SendTaskSuccess", `{"taskToken":"t"}`, "no permissions for the operation"),
	})
}

func TestTheEncryptionContextOfACall(t *testing.T) {
	posted := func(target string) *http.Request { return plain("POST", "/", "X-Amz-Target", target) }
	for name, c := range map[string]struct {
		model   Model
		request *http.Request
		body    string
		want    []string // of the permissions on keys
	}{
		"an object": {s3(), plain("GET", "/files/a"), "", []string{`{"aws:s3:arn":"arn:aws:s3:::files/a"}`}},
		"an object of a bucket with a bucket key": {s3(), plain("PUT", "/newer/a"), "",
			[]string{`{"aws:s3:arn":"arn:aws:s3:::newer"}`}},
		"a copy": {s3(), plain("PUT", "/newer/a", "X-Amz-Copy-Source", "files/b"), "",
			[]string{`{"aws:s3:arn":"arn:aws:s3:::newer"}`, `{"aws:s3:arn":"arn:aws:s3:::files/b"}`}},
		"an item": {dynamodb(), posted("DynamoDB_20120810.GetItem"), `{"TableName":"ledger"}`,
			[]string{`{"aws:dynamodb:subscriberId":"000000000000","aws:dynamodb:tableName":"ledger"}`}},
		"a parameter": {ssm(), posted("AmazonSSM.GetParameter"), `{"Name":"/app/token","WithDecryption":true}`,
			[]string{`{"PARAMETER_ARN":"` + parameter + `app/token"}`}},
		"a text": {kms(), posted("TrentService.Encrypt"), `{"KeyId":"k1","EncryptionContext":{"b":"1","a":"2"}}`,
			[]string{`{"a":"2","b":"1"}`}},
		"a text without one": {kms(), posted("TrentService.Encrypt"), `{"KeyId":"k1"}`, []string{`{}`}},
		"another encryption": {kms(), posted("TrentService.ReEncrypt"), `{"SourceKeyId":"k1","DestinationKeyId":"k2",` +
			`"SourceEncryptionContext":{"a":"1"},"DestinationEncryptionContext":{"a":"2"}}`,
			[]string{`{"a":"1"}`, `{"a":"2"}`}},
	} {
		_, needs, err := c.model.Read(Request{
			Request: c.request, Body: []byte(c.body), Region: "eu-west-1", Graph: declaredKeys, target: c.model.Target,
		})
		var got []string
		for _, need := range needs {
			if strings.HasPrefix(need.Action, "kms:") {
				got = append(got, need.EncryptionContext)
			} else if need.EncryptionContext != "" {
				t.Errorf("%s: %+v has an encryption context", name, need)
			}
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
	const header = "X-Amz-Server-Side-Encryption-"
	for _, c := range []struct{ path, header, value, want string }{
		{"/files/a", "Context", "e30=", "an encryption context of its own"},
		{"/files/a", "Bucket-Key-Enabled", "true", "a bucket key otherwise than its bucket"},
		{"/newer/a", "Bucket-Key-Enabled", "false", "a bucket key otherwise than its bucket"},
		{"/newer/a", "Bucket-Key-Enabled", "TRUE", ""},
		{"/files/a", "Bucket-Key-Enabled", "false", ""},
	} {
		_, _, err := s3().Read(Request{Request: plain("PUT", c.path, header+c.header, c.value), Graph: declaredKeys})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: %s: got %v, want %q", c.path, c.header, c.value, err, c.want)
		}
	}
}
