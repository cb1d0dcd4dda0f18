package forward

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
)

// ssm is the model of Parameter Store of AWS Systems Manager.
func ssm() Model {
	return Model{
		Service: "ssm", Name: "Parameter Store", Types: []graph.Type{graph.Parameter}, Kind: "parameter",
		Protocol: awsapi.JSON("1.1", "AmazonSSM"), Target: "AmazonSSM",
		Denied: awsapi.Error{Status: http.StatusBadRequest, Code: "AccessDeniedException"},
		Read:   readSSM, Create: createParameter,
	}
}

// readSSM returns the permissions of an operation on parameters.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
func readSSM(q Request) (operation string, needs []awsapi.Permission, err error) {
	var in struct {
		Name, Path, Type, KeyId, ResourceType, ResourceId string
		Names                                             []string
		WithDecryption                                    bool
	}
	operation = q.operation()
	if err := q.decode(&in); err != nil {
		return operation, nil, err
	}
	names := in.Names
	switch operation {
	case "GetParameter", "PutParameter", "DeleteParameter", "GetParameterHistory":
		names = []string{in.Name}
	case "GetParameters", "DeleteParameters":
	case "GetParametersByPath":
		names = []string{in.Path}
	case "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource":
		if in.ResourceType != "Parameter" {
			return operation, nil, fmt.Errorf("the run knows no resources of the type %q", in.ResourceType)
		}
		names = []string{in.ResourceId}
	case "DescribeParameters":
		return operation, []awsapi.Permission{{Action: "ssm:DescribeParameters", Resource: "*"}}, nil
	default:
		return operation, nil, q.unknown()
	}
	for _, name := range names {
		if name == "" {
			return operation, nil, errors.New("it names no parameter")
		}
		needs = append(needs, awsapi.Permission{Action: "ssm:" + operation, Resource: parameterARN(q.Region, name)})
	}
	if len(needs) == 0 {
		return operation, nil, errors.New("it names no parameter")
	}
	if in.Type == "SecureString" && in.KeyId != "" {
		needs, err = q.withKey(needs, "ssm", "kms:Encrypt", in.KeyId, parameterContext(needs[0].Resource))
	}
	if !in.WithDecryption || err != nil {
		return operation, needs, err
	}
	// A caller needs the permission to decrypt with a key of the account. Everybody in the account
	// may use the key of AWS, which is the default.
	// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
	for _, r := range q.Graph.OfType(graph.Parameter) {
		asked := func(need awsapi.Permission) bool {
			return need.Resource == r.String("arn") || operation == "GetParametersByPath" &&
				strings.HasPrefix(r.String("arn"), strings.TrimSuffix(need.Resource, "/")+"/")
		}
		if key := r.String("keyId"); key != "" && slices.ContainsFunc(needs, asked) && err == nil {
			needs, err = q.withKey(needs, "ssm", "kms:Decrypt", key, parameterContext(r.String("arn")))
		}
	}
	return operation, needs, err
}

// parameterContext returns the encryption context of a parameter.
// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html#parameter-store-encryption-context
func parameterContext(arn string) map[string]string { return map[string]string{"PARAMETER_ARN": arn} }

// parameterARN returns the ARN of a parameter by its name, or by its ARN. A version or a label may
// follow the name.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
func parameterARN(region, name string) string {
	if whole, isARN := strings.CutPrefix(name, "arn:"); isARN {
		parts := strings.SplitN(whole, ":", 6)
		return "arn:" + strings.Join(parts[:min(len(parts), 5)], ":")
	}
	name, _, _ = strings.Cut(name, ":")
	return graph.Parameter.ARN(region, strings.TrimPrefix(name, "/"))
}

// createParameter returns the call that creates a declared parameter. The emulator encrypts with no
// key of the account: the run decides who may decrypt.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
func createParameter(r *graph.Resource) ([]Call, error) {
	value := r.String("value")
	if value == "" {
		value = r.String("insecureValue")
	}
	return encode([]Call{{Operation: "PutParameter"}}, map[string]any{
		"Name": r.String("name"), "Type": r.String("type"), "Value": value, "Overwrite": true,
	})
}
