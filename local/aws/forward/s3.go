package forward

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/declared"
	"restock/local/aws/awsapi"
)

// s3 is the model of Amazon S3.
func s3() Model {
	return Model{
		Service: "s3", Name: "S3", Kind: "bucket",
		Types:    []graph.Type{graph.Bucket, graph.PlainBucket, graph.BucketObject, graph.PlainBucketObject},
		Protocol: awsapi.RESTXML(),
		// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
		Denied: awsapi.Error{Status: http.StatusForbidden, Code: "AccessDenied"},
		Read:   readS3, Create: createS3, Reveals: missingObject, Misrouted: misroutedBucket,
	}
}

// missingObject returns the permission to learn that a bucket lacks an object. AWS answers others
// with 403. The answer to HEAD has no body: the run takes it for that of a missing object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func missingObject(r *http.Request, operation string, status int, answer []byte) *awsapi.Permission {
	reads := slices.Contains([]string{"GetObject", "GetObjectAttributes", "HeadObject"}, operation)
	missing := status == http.StatusNotFound && (len(answer) == 0 || bytes.Contains(answer, []byte("NoSuchKey")))
	bucket, _, err := s3Resource(r)
	if !reads || !missing || err != nil {
		return nil
	}
	return &awsapi.Permission{Action: "s3:ListBucket", Resource: bucketARN(bucket)}
}

// misroutedBucket returns the refusal of a call of a bucket whose path the emulator serves for
// another service: kumo routes by the path, and has a service at "/tables". The start has checked
// the paths of the declared buckets.
func misroutedBucket(q Request, operation string, ask func(Call) (int, []byte, error)) error {
	bucket, _, err := s3Resource(q.Request)
	if err != nil || bucket == "" || declaresBucket(q.Graph, bucket) {
		return nil // the call names no bucket, or one that the emulator has
	}
	if _, answer, err := ask(locationOf(bucket)); err != nil || isAnswerOfS3(answer) {
		return nil // an emulator that fails fails the call, too
	}
	// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
	refusal := awsapi.Error{
		Status: http.StatusNotFound, Code: "NoSuchBucket", Message: "The specified bucket does not exist",
	}
	if operation == "CreateBucket" {
		refusal = awsapi.Error{
			Status: http.StatusConflict, Code: "BucketAlreadyExists",
			Message: "The requested bucket name is not available",
		}
	}
	refusal.Message += ": the program declares no bucket " + bucket + ", and " + pathTaken
	return &refusal
}

func declaresBucket(g *graph.Graph, bucket string) bool {
	return g.Find(graph.Bucket, "bucket", bucket) != nil || g.Find(graph.PlainBucket, "bucket", bucket) != nil
}

// pathTaken says what a developer can do about a bucket such as "tables" or "health".
const pathTaken = "the emulator may use its path for another service: give the bucket another name"

// locationOf returns the call GetBucketLocation.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
func locationOf(bucket string) Call {
	path := url.URL{Path: "/" + bucket, RawQuery: "location"}
	return Call{Method: http.MethodGet, Path: path.String(), Hint: pathTaken}
}

// isAnswerOfS3 reports whether the answer to GetBucketLocation is S3's: a location or an error.
func isAnswerOfS3(answer []byte) bool {
	return bytes.Contains(answer, []byte("LocationConstraint")) || bytes.Contains(answer, []byte("<Code>"))
}

// An s3Call is a call of S3 by its method and the part of the query that names a subresource, like
// "GET acl".
type s3Call struct {
	operation string
	action    string // on the bucket, or on the object
	// versioned replaces the action if the request names a version of the object.
	versioned string
}

// The calls of S3 and their actions:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_s3.html
var (
	bucketCalls = map[string]s3Call{
		"GET":                      {"ListObjects", "s3:ListBucket", ""},
		"HEAD":                     {"HeadBucket", "s3:ListBucket", ""},
		"PUT":                      {"CreateBucket", "s3:CreateBucket", ""},
		"DELETE":                   {"DeleteBucket", "s3:DeleteBucket", ""},
		"GET versions":             {"ListObjectVersions", "s3:ListBucketVersions", ""},
		"GET uploads":              {"ListMultipartUploads", "s3:ListBucketMultipartUploads", ""},
		"GET location":             {"GetBucketLocation", "s3:GetBucketLocation", ""},
		"GET acl":                  {"GetBucketAcl", "s3:GetBucketAcl", ""},
		"PUT acl":                  {"PutBucketAcl", "s3:PutBucketAcl", ""},
		"GET policy":               {"GetBucketPolicy", "s3:GetBucketPolicy", ""},
		"PUT policy":               {"PutBucketPolicy", "s3:PutBucketPolicy", ""},
		"DELETE policy":            {"DeleteBucketPolicy", "s3:DeleteBucketPolicy", ""},
		"GET versioning":           {"GetBucketVersioning", "s3:GetBucketVersioning", ""},
		"PUT versioning":           {"PutBucketVersioning", "s3:PutBucketVersioning", ""},
		"GET tagging":              {"GetBucketTagging", "s3:GetBucketTagging", ""},
		"PUT tagging":              {"PutBucketTagging", "s3:PutBucketTagging", ""},
		"DELETE tagging":           {"DeleteBucketTagging", "s3:PutBucketTagging", ""},
		"GET cors":                 {"GetBucketCors", "s3:GetBucketCORS", ""},
		"PUT cors":                 {"PutBucketCors", "s3:PutBucketCORS", ""},
		"DELETE cors":              {"DeleteBucketCors", "s3:PutBucketCORS", ""},
		"GET lifecycle":            {"GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration", ""},
		"PUT lifecycle":            {"PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration", ""},
		"DELETE lifecycle":         {"DeleteBucketLifecycle", "s3:PutLifecycleConfiguration", ""},
		"GET encryption":           {"GetBucketEncryption", "s3:GetEncryptionConfiguration", ""},
		"GET notification":         {"GetBucketNotificationConfiguration", "s3:GetBucketNotification", ""},
		"PUT notification":         {"PutBucketNotificationConfiguration", "s3:PutBucketNotification", ""},
		"GET publicAccessBlock":    {"GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock", ""},
		"PUT publicAccessBlock":    {"PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock", ""},
		"DELETE publicAccessBlock": {"DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock", ""},
	}
	objectCalls = map[string]s3Call{
		"GET":             {"GetObject", "s3:GetObject", "s3:GetObjectVersion"},
		"HEAD":            {"HeadObject", "s3:GetObject", "s3:GetObjectVersion"},
		"PUT":             {"PutObject", "s3:PutObject", ""},
		"DELETE":          {"DeleteObject", "s3:DeleteObject", "s3:DeleteObjectVersion"},
		"GET acl":         {"GetObjectAcl", "s3:GetObjectAcl", "s3:GetObjectVersionAcl"},
		"PUT acl":         {"PutObjectAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl"},
		"GET tagging":     {"GetObjectTagging", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"},
		"PUT tagging":     {"PutObjectTagging", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
		"DELETE tagging":  {"DeleteObjectTagging", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"},
		"POST uploads":    {"CreateMultipartUpload", "s3:PutObject", ""},
		"PUT uploadId":    {"UploadPart", "s3:PutObject", ""},
		"POST uploadId":   {"CompleteMultipartUpload", "s3:PutObject", ""},
		"GET uploadId":    {"ListParts", "s3:ListMultipartUploadParts", ""},
		"DELETE uploadId": {"AbortMultipartUpload", "s3:AbortMultipartUpload", ""},
		"POST restore":    {"RestoreObject", "s3:RestoreObject", ""},
	}
	// headerActions are further actions that a call requires on each of its objects if the request
	// has a header that begins like this. bucketHeaderActions are those for a new bucket.
	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
	headerActions = map[string]string{
		"X-Amz-Acl": "s3:PutObjectAcl", "X-Amz-Grant-": "s3:PutObjectAcl", "X-Amz-Tagging": "s3:PutObjectTagging",
		"X-Amz-Object-Lock-Mode": "s3:PutObjectRetention", "X-Amz-Object-Lock-Retain-": "s3:PutObjectRetention",
		"X-Amz-Object-Lock-Legal-Hold": "s3:PutObjectLegalHold", "X-Amz-Bypass-": "s3:BypassGovernanceRetention",
	}
	bucketHeaderActions = map[string]string{
		"X-Amz-Acl": "s3:PutBucketAcl", "X-Amz-Grant-": "s3:PutBucketAcl",
		"X-Amz-Object-Ownership":           "s3:PutBucketOwnershipControls",
		"X-Amz-Bucket-Object-Lock-Enabled": "s3:PutBucketObjectLockConfiguration",
	}
	// s3Parameters are parts of a query that do not name a subresource.
	s3Parameters = []string{
		"list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "fetch-owner",
		"encoding-type", "marker", "key-marker", "version-id-marker", "upload-id-marker", "max-uploads",
		"part-number-marker", "max-parts", "versionId", "partNumber", "x-id", "max-buckets", "bucket-region",
	}
)

// readS3 returns the operation and the permissions of a request.
func readS3(q Request) (operation string, needs []awsapi.Permission, err error) {
	bucket, key, err := s3Resource(q.Request)
	if err != nil {
		return "", nil, err
	}
	query, err := url.ParseQuery(q.URL.RawQuery)
	if err != nil {
		return "", nil, fmt.Errorf("its query is not valid: %w", err)
	}
	name, calls, arn := q.Method, bucketCalls, bucketARN(bucket)
	if key != "" {
		calls, arn = objectCalls, bucketARN(bucket+"/"+key)
	}
	for _, parameter := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(s3Parameters, parameter) && !strings.HasPrefix(parameter, "response-") {
			name += " " + parameter
		}
	}
	switch {
	case bucket == "" && key == "" && name == "GET":
		return "ListBuckets", []awsapi.Permission{{Action: "s3:ListAllMyBuckets", Resource: "*"}}, nil
	case key == "" && name == "POST delete":
		needs, err := deletions(bucket, q.Body)
		return "DeleteObjects", withHeaders(needs, q.Header, headerActions), err
	case key != "" && name == "GET attributes":
		version := ""
		if query.Has("versionId") {
			version = "Version"
		}
		return "GetObjectAttributes", []awsapi.Permission{
			{Action: "s3:GetObject" + version, Resource: arn},
			{Action: "s3:GetObject" + version + "Attributes", Resource: arn},
		}, nil
	}
	call, known := calls[name]
	if !known || bucket == "" {
		return "", nil, fmt.Errorf("no call of S3 that the run knows is like %q", name)
	}
	action := call.action
	if query.Has("versionId") {
		if action = call.versioned; action == "" {
			return call.operation, nil, errors.New("the call takes no versionId")
		}
	}
	needs = []awsapi.Permission{{Action: action, Resource: arn}}
	switch call.operation {
	case "PutObject", "CreateMultipartUpload", "DeleteObject":
		needs = withHeaders(needs, q.Header, headerActions)
	case "CreateBucket":
		needs = withHeaders(needs, q.Header, bucketHeaderActions)
	}
	if key != "" {
		if needs, err = q.withBucketKey(needs, call.operation, bucket); err != nil {
			return call.operation, nil, err
		}
	}
	if source := q.Header.Get("X-Amz-Copy-Source"); source != "" {
		need, err := copySource(source)
		if err != nil {
			return call.operation, nil, err
		}
		from := bucketKey(q.Graph, strings.TrimPrefix(declared.Owner(need.Resource), bucketARN("")))
		if needs, err = q.withKey(needs, "s3", "kms:Decrypt", from, q.objectContext(need.Resource)); err != nil {
			return call.operation, nil, err
		}
		call.operation = map[string]string{"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}[call.operation]
		needs = append(needs, need)
	}
	return call.operation, needs, nil
}

// withHeaders adds the actions that a request's headers require on the same resources.
func withHeaders(needs []awsapi.Permission, headers http.Header, actions map[string]string) []awsapi.Permission {
	all := needs
	for header := range headers {
		for prefix, action := range actions {
			for _, need := range needs {
				more := awsapi.Permission{Action: action, Resource: need.Resource}
				if strings.HasPrefix(header, prefix) && !slices.Contains(all, more) {
					all = append(all, more)
				}
			}
		}
	}
	return all
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }

// s3Resource returns the bucket and the key in a request's path. Both are empty for the list of
// buckets. A host never names a bucket: the listener refuses hosts that are not this machine.
func s3Resource(r *http.Request) (bucket, key string, err error) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return bucket, key, plainKey(bucket, key)
}

// plainKey refuses a bucket or a key that an emulator may read as another one: emulators clean the
// paths of requests.
func plainKey(bucket, key string) error {
	if strings.HasPrefix(bucket, "arn:") {
		return errors.New("the run has no access points")
	}
	whole := "/" + bucket
	if key != "" {
		whole += "/" + key
	}
	if path.Clean(whole) != whole {
		return fmt.Errorf("an emulator may change the path %q, because a part of it is empty, \".\" or \"..\": "+
			"name the object otherwise", whole)
	}
	return nil
}

// copySource returns the permission to read the source of a copy, which is an escaped path.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func copySource(header string) (awsapi.Permission, error) {
	escaped, version, _ := strings.Cut(header, "?")
	source, err := url.PathUnescape(escaped)
	if err != nil {
		return awsapi.Permission{}, fmt.Errorf("reading the source of the copy: %w", err)
	}
	bucket, key, found := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	if err := plainKey(bucket, key); err != nil {
		return awsapi.Permission{}, err
	}
	if !found || key == "" {
		return awsapi.Permission{}, fmt.Errorf("the source of the copy, %q, is not a bucket and a key", source)
	}
	action := "s3:GetObject"
	if strings.HasPrefix(version, "versionId=") {
		action = "s3:GetObjectVersion"
	}
	return awsapi.Permission{Action: action, Resource: bucketARN(bucket + "/" + key)}, nil
}

// deletions returns the permissions of DeleteObjects: one for each object.
func deletions(bucket string, body []byte) (needs []awsapi.Permission, err error) {
	var list struct {
		Object []struct{ Key, VersionId []string }
	}
	if err := xml.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("reading the list of objects: %w", err)
	}
	for _, object := range list.Object {
		if len(object.Key) != 1 {
			return nil, errors.New("an object of the list has not one key")
		}
		action := "s3:DeleteObject"
		if len(object.VersionId) > 0 {
			action = "s3:DeleteObjectVersion"
		}
		needs = append(needs, awsapi.Permission{Action: action, Resource: bucketARN(bucket + "/" + object.Key[0])})
	}
	if len(needs) == 0 {
		return nil, errors.New("the request lists no objects")
	}
	return needs, nil
}
