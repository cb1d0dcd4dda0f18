package forward

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/declared"
	"restock/local/aws/awsapi"
)

// withKey adds the permission on a key that a service uses for its caller. It adds none without a
// key, and none for a key of AWS: everybody in the account may use it through the service.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
//
// pairs are the encryption context that the service sends; nil if it is not known.
func (q Request) withKey(
	needs []awsapi.Permission, service, action, key string, pairs map[string]string,
) ([]awsapi.Permission, error) {
	arn, err := q.customerKey(key)
	if arn == "" || err != nil {
		return needs, err
	}
	need := awsapi.Permission{
		Action: action, Resource: arn, Via: service + "." + q.Region + ".amazonaws.com",
		EncryptionContext: encryptionContext(pairs),
	}
	if !slices.Contains(needs, need) {
		needs = append(needs, need)
	}
	return needs, nil
}

// encryptionContext writes an encryption context, as in awsapi.Permission.
func encryptionContext(pairs map[string]string) string {
	if pairs == nil {
		return ""
	}
	text, _ := json.Marshal(pairs) // texts never fail
	return string(text)
}

// objectContext returns the encryption context of an object: its ARN, or that of its bucket if the
// bucket has a bucket key.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
func (q Request) objectContext(object string) map[string]string {
	if bucket := declared.Owner(object); usesBucketKey(q.Graph, strings.TrimPrefix(bucket, bucketARN(""))) {
		object = bucket
	}
	return map[string]string{"aws:s3:arn": object}
}

// customerKey returns the ARN of a declared key; "" for no key, and for one of AWS.
func (q Request) customerKey(key string) (string, error) {
	if key == "" || strings.Contains(key, "alias/aws/") {
		return "", nil
	}
	r, err := keyOf(q.Graph, key)
	if err != nil {
		return "", err
	}
	return r.String("arn"), nil
}

// objectKeyActions are what S3 does with the key of a bucket for an operation on an object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
var objectKeyActions = map[string]string{
	"GetObject": "kms:Decrypt", "UploadPart": "kms:Decrypt", "CompleteMultipartUpload": "kms:Decrypt",
	"PutObject": "kms:GenerateDataKey", "CreateMultipartUpload": "kms:GenerateDataKey",
}

// withBucketKey adds the permission on the key of a bucket.
func (q Request) withBucketKey(needs []awsapi.Permission, operation, bucket string) ([]awsapi.Permission, error) {
	action := objectKeyActions[operation]
	if operation == "HeadObject" && q.Header.Get("X-Amz-Checksum-Mode") != "" {
		action = "kms:Decrypt" // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
	}
	if action == "" {
		return needs, nil
	}
	key := bucketKey(q.Graph, bucket)
	if action == "kms:GenerateDataKey" {
		if err := q.encryptsLike(bucket, key); err != nil {
			return nil, err
		}
	}
	return q.withKey(needs, "s3", action, key, q.objectContext(needs[0].Resource))
}

// encryptsLike returns an error if a request asks for another encryption of an object than with the
// key of its bucket. The run would not know later which key a reader needs.
func (q Request) encryptsLike(bucket, key string) error {
	const header = "X-Amz-Server-Side-Encryption"
	asked := key
	if q.Header.Get(header+"-Context") != "" {
		return errors.New("it gives the object an encryption context of its own: leave the header out")
	}
	enabled := q.Header.Get(header + "-Bucket-Key-Enabled")
	if key != "" && enabled != "" && strings.EqualFold(enabled, "true") != usesBucketKey(q.Graph, bucket) {
		return errors.New("it uses a bucket key otherwise than its bucket does: leave the header out, or set " +
			"bucketKeyEnabled of the bucket's encryption")
	}
	if id := q.Header.Get(header + "-Aws-Kms-Key-Id"); id != "" || q.Header.Get(header) != "" ||
		q.Header.Get(header+"-Customer-Algorithm") != "" {
		asked = id
	}
	has, err := q.customerKey(key)
	if err != nil {
		return err
	}
	wants, err := q.customerKey(asked)
	if err != nil {
		return err
	}
	if wants != has {
		return errors.New("it encrypts the object otherwise than its bucket does: leave the headers out, or " +
			"declare the key as the bucket's")
	}
	return nil
}

// bucketKey returns the key with which a declared bucket encrypts objects; "" for the keys of AWS.
func bucketKey(g *graph.Graph, bucket string) (key string) {
	for _, r := range bucketEncryptions(g, bucket) {
		key = cmp.Or(findKey(r.Outputs), key)
	}
	return key
}

// bucketEncryptions returns the resources that may declare how a bucket encrypts objects.
func bucketEncryptions(g *graph.Graph, bucket string) (all []*graph.Resource) {
	for _, kind := range []graph.Type{
		graph.Bucket, graph.PlainBucket, graph.BucketEncryption, graph.PlainBucketEncryption,
	} {
		for _, r := range g.OfType(kind) {
			if r.String("bucket") == bucket {
				all = append(all, r)
			}
		}
	}
	return all
}

// usesBucketKey reports whether a declared bucket has a bucket key.
func usesBucketKey(g *graph.Graph, bucket string) bool {
	return slices.ContainsFunc(bucketEncryptions(g, bucket), func(r *graph.Resource) bool {
		return hasBucketKey(r.Outputs)
	})
}

// hasBucketKey reports whether the declaration of an encryption enables a bucket key.
func hasBucketKey(declaration any) bool {
	switch value := declaration.(type) {
	case []any:
		return slices.ContainsFunc(value, hasBucketKey)
	case map[string]any:
		enabled, _ := value["bucketKeyEnabled"].(bool)
		return enabled || slices.ContainsFunc(slices.Collect(maps.Values(value)), hasBucketKey)
	default:
		return false
	}
}

// findKey finds the key in the declaration of an encryption. The types of resources nest it in
// different lists and objects.
func findKey(declaration any) (key string) {
	switch value := declaration.(type) {
	case []any:
		for _, part := range value {
			key = cmp.Or(key, findKey(part))
		}
	case map[string]any:
		key, _ = value["kmsMasterKeyId"].(string)
		for _, part := range value {
			key = cmp.Or(key, findKey(part))
		}
	}
	return key
}

// itemActions are the actions for which DynamoDB decrypts a table.
var itemActions = []string{
	"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query",
	"dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem",
}

// withTableKeys adds the permissions to decrypt the tables. DynamoDB decrypts as the caller, and
// caches the result for minutes; the run does not. Everything else it does with the key by grants.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
func (q Request) withTableKeys(needs []awsapi.Permission) (all []awsapi.Permission, err error) {
	all = needs
	for _, need := range needs {
		table := q.Graph.Find(graph.Table, "arn", declared.Owner(need.Resource))
		if table == nil || !slices.Contains(itemActions, need.Action) {
			continue
		}
		key, _ := table.Object("serverSideEncryption")["kmsKeyArn"].(string)
		pairs := map[string]string{
			"aws:dynamodb:tableName": table.String("name"), "aws:dynamodb:subscriberId": graph.AccountID,
		}
		if all, err = q.withKey(all, "dynamodb", "kms:Decrypt", key, pairs); err != nil {
			return nil, fmt.Errorf("table %s: %w", table.Name, err)
		}
	}
	return all, nil
}
