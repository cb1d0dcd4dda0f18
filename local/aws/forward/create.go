package forward

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"

	"restock/infra/graph"
)

// createS3 returns the call that creates a declared bucket or object. The path of an object's file
// is absolute, or relative to the working directory.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func createS3(r *graph.Resource) ([]Call, error) {
	if r.Type == graph.BucketObject || r.Type == graph.PlainBucketObject {
		content, err := contentOf(r)
		path := url.URL{Path: "/" + r.String("bucket") + "/" + cmp.Or(r.String("key"), r.Name)}
		return []Call{{
			Method: "PUT", Path: path.EscapedPath(), Body: string(content), ContentType: r.String("contentType"),
		}}, err
	}
	location := locationOf(r.String("bucket"))
	location.Then = func(answer []byte) error {
		if !isAnswerOfS3(answer) {
			return fmt.Errorf("the answer to GET %s is no bucket's: %s", location.Path, pathTaken)
		}
		return nil
	}
	return []Call{
		{
			Method: "PUT", Path: "/" + r.String("bucket"), Hint: pathTaken,
			Exists: []string{"BucketAlreadyOwnedByYou", "BucketAlreadyExists"},
		},
		location,
	}, nil
}

// notCreated is the error of a declared resource that the run cannot create. It says why.
type notCreated string

func (reason notCreated) Error() string { return string(reason) }

// contentOf returns the content of a declared object.
func contentOf(r *graph.Resource) ([]byte, error) {
	source := r.Object("source")
	text, isText := source[graph.TextAsset].(string)
	switch {
	case isText:
		return []byte(text), nil
	case source[graph.URIAsset] != nil:
		return nil, notCreated("its source is at a URI, and the run downloads nothing: give it a file or a text")
	case source != nil:
		return nil, notCreated("its source is an archive of assets, which the run does not pack: give it a file")
	case r.String("source") != "":
		return os.ReadFile(r.String("source"))
	case r.String("contentBase64") != "":
		return base64.StdEncoding.DecodeString(r.String("contentBase64"))
	}
	return []byte(r.String("content")), nil
}

// createTable returns the call that creates a declared table.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
func createTable(r *graph.Resource) ([]Call, error) {
	type object = map[string]any
	keySchema := func(hash, rangeKey any) (schema []object) {
		for _, key := range []struct {
			name any
			kind string
		}{{hash, "HASH"}, {rangeKey, "RANGE"}} {
			if name, _ := key.name.(string); name != "" {
				schema = append(schema, object{"AttributeName": name, "KeyType": key.kind})
			}
		}
		return schema
	}
	// throughput is nil for a table that is billed by requests.
	throughput := func(of object) object {
		if r.String("billingMode") == "PAY_PER_REQUEST" {
			return nil
		}
		return object{
			"ReadCapacityUnits":  atLeastOne(of["readCapacity"]),
			"WriteCapacityUnits": atLeastOne(of["writeCapacity"]),
		}
	}
	in := object{"TableName": r.String("name"), "KeySchema": keySchema(r.String("hashKey"), r.String("rangeKey"))}
	in["BillingMode"] = "PROVISIONED"
	if mode := r.String("billingMode"); mode != "" {
		in["BillingMode"] = mode
	}
	put := func(to object, name string, value object) {
		if value != nil {
			to[name] = value
		}
	}
	put(in, "ProvisionedThroughput", throughput(r.Outputs))
	var attributes []object
	for _, a := range r.Objects("attributes") {
		attributes = append(attributes, object{"AttributeName": a["name"], "AttributeType": a["type"]})
	}
	in["AttributeDefinitions"] = attributes
	for _, kind := range []struct {
		declared, api string
		hash          func(object) any
	}{
		{"globalSecondaryIndexes", "GlobalSecondaryIndexes", func(i object) any { return i["hashKey"] }},
		{"localSecondaryIndexes", "LocalSecondaryIndexes", func(object) any { return r.String("hashKey") }},
	} {
		var indexes []object
		for _, declared := range r.Objects(kind.declared) {
			projection := object{"ProjectionType": declared["projectionType"]}
			if keys, ok := declared["nonKeyAttributes"]; ok {
				projection["NonKeyAttributes"] = keys
			}
			index := object{
				"IndexName": declared["name"], "KeySchema": keySchema(kind.hash(declared), declared["rangeKey"]),
				"Projection": projection,
			}
			if kind.declared == "globalSecondaryIndexes" {
				put(index, "ProvisionedThroughput", throughput(declared))
			}
			indexes = append(indexes, index)
		}
		if indexes != nil {
			in[kind.api] = indexes
		}
	}
	if r.Bool("streamEnabled") {
		in["StreamSpecification"] = object{"StreamEnabled": true, "StreamViewType": r.String("streamViewType")}
	}
	calls := []Call{{Operation: "CreateTable", Exists: []string{"ResourceInUseException"}}}
	if ttl := r.Object("ttl"); ttl["enabled"] == true {
		calls = append(calls, Call{Operation: "UpdateTimeToLive", Exists: []string{"already enabled"}})
		return encode(calls, in, object{"TableName": r.String("name"), "TimeToLiveSpecification": object{
			"Enabled": true, "AttributeName": ttl["attributeName"],
		}})
	}
	return encode(calls, in)
}

func atLeastOne(capacity any) float64 {
	n, _ := capacity.(float64)
	return max(n, 1)
}

// encode gives calls their inputs.
func encode(calls []Call, inputs ...map[string]any) ([]Call, error) {
	for i, in := range inputs {
		var text strings.Builder
		if err := json.NewEncoder(&text).Encode(in); err != nil {
			return nil, fmt.Errorf("writing the input of %s: %w", calls[i].Operation, err)
		}
		calls[i].Body = text.String()
	}
	return calls, nil
}
