package forward

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
)

// kms is the model of the Key Management Service. The emulator chooses the ids of keys: the model
// replaces the declared ids in the calls.
func kms() Model {
	ids := map[string]string{} // of the emulator, by the declared id
	return Model{
		Service: "kms", Name: "KMS", Types: []graph.Type{graph.Key}, Kind: "key", Beside: true,
		Protocol: awsapi.JSON("1.1", "TrentService"), Target: "TrentService",
		Denied: awsapi.Error{Status: http.StatusBadRequest, Code: "AccessDeniedException"},
		Read:   readKMS,
		Create: func(r *graph.Resource) ([]Call, error) {
			return encode([]Call{{Operation: "CreateKey", Then: func(answer []byte) error {
				var out struct{ KeyMetadata struct{ KeyId string } }
				err := json.Unmarshal(answer, &out)
				ids[r.ID] = out.KeyMetadata.KeyId
				return err
			}}}, map[string]any{"Description": r.String("description")})
		},
		Rewrite: func(g *graph.Graph, body []byte) []byte { return replaceKeys(g, ids, body) },
	}
}

var (
	keyMembers    = []string{"KeyId", "SourceKeyId", "DestinationKeyId"}
	keyOperations = []string{
		"Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair",
		"GenerateDataKeyPairWithoutPlaintext", "Sign", "Verify", "GenerateMac", "VerifyMac", "DescribeKey",
		"GetPublicKey",
	}
)

// readKMS returns the permissions of an operation on keys.
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
func readKMS(q Request) (operation string, needs []awsapi.Permission, err error) {
	var in struct {
		KeyId, SourceKeyId, DestinationKeyId string

		EncryptionContext, SourceEncryptionContext, DestinationEncryptionContext map[string]string
	}
	operation = q.operation()
	if err := q.decode(&in); err != nil {
		return operation, nil, err
	}
	need := func(action, key string, pairs map[string]string) {
		if err != nil {
			return
		}
		var r *graph.Resource
		if key == "" {
			err = errors.New("it names no key, and the run cannot read the key's id in a ciphertext")
		} else if r, err = keyOf(q.Graph, key); err == nil {
			if pairs == nil {
				pairs = map[string]string{}
			}
			needs = append(needs, awsapi.Permission{
				Action: action, Resource: r.String("arn"), EncryptionContext: encryptionContext(pairs),
			})
		}
	}
	switch {
	case slices.Contains(keyOperations, operation):
		need("kms:"+operation, in.KeyId, in.EncryptionContext)
	case operation == "ReEncrypt":
		need("kms:ReEncryptFrom", in.SourceKeyId, in.SourceEncryptionContext)
		need("kms:ReEncryptTo", in.DestinationKeyId, in.DestinationEncryptionContext)
	case slices.Contains([]string{"ListKeys", "ListAliases", "GenerateRandom"}, operation):
		needs = []awsapi.Permission{{Action: "kms:" + operation, Resource: "*"}}
	default:
		err = q.unknown()
	}
	return operation, needs, err
}

// keyOf returns a declared key by its id, its ARN, the name of an alias, or the ARN of an alias.
func keyOf(g *graph.Graph, key string) (*graph.Resource, error) {
	for _, alias := range g.OfType(graph.KeyAlias) {
		if name := alias.String("name"); name == key || graph.KeyAlias.ARN(g.Region, name) == key {
			key = alias.String("targetKeyId")
		}
	}
	for _, r := range g.OfType(graph.Key) {
		if key == r.ID || key == r.String("arn") {
			return r, nil
		}
	}
	return nil, fmt.Errorf("the program declares no key %q", key)
}

// replaceKeys replaces the declared ids of keys in the body of a call by those of the emulator.
func replaceKeys(g *graph.Graph, ids map[string]string, body []byte) []byte {
	var members map[string]json.RawMessage
	if g == nil || json.Unmarshal(body, &members) != nil {
		return body
	}
	for _, name := range keyMembers {
		var key string
		if json.Unmarshal(members[name], &key) != nil {
			continue
		}
		if r, err := keyOf(g, key); err == nil && ids[r.ID] != "" {
			members[name], _ = json.Marshal(ids[r.ID]) // a text never fails
		}
	}
	replaced, err := json.Marshal(members)
	if err != nil {
		return body
	}
	return replaced
}
