package graph

import (
	"fmt"
	"maps"
	"strings"
)

// AccountID is the account of all recorded resources.
const AccountID = "000000000000"

// ExecutionARN returns the ARN with which the ARNs of an API's stages and routes begin.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func ExecutionARN(region, api string) string {
	return fill("arn:aws:execute-api:{region}:{account}:{name}", region, api)
}

// Deploy adds the outputs that AWS would return for a new resource: a name, an id, an ARN, and
// other outputs that the stack uses. If the program gives no name, the name is an example of the
// name that Pulumi makes, or it is the logical name.
func (r *Resource) Deploy(region string, logicalNames bool) {
	nameKey := r.Type.NameOutput()
	name := r.String(nameKey)
	if name == "" {
		name = r.autoname()
		if logicalNames {
			name = r.named(r.Name)
		}
		r.Outputs[nameKey] = name
	}
	arn := r.Type.ARN(region, name)
	if path := r.String("path"); path != "" && r.Type == Role {
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names
		arn = r.Type.ARN(region, strings.TrimPrefix(path, "/")+name)
	}
	if r.Type == EventRule && r.BusName() != DefaultBus {
		// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
		arn = r.Type.ARN(region, r.BusName()+"/"+name)
	}
	if r.Type == Parameter {
		arn = r.Type.ARN(region, strings.TrimPrefix(name, "/"))
	}
	if arn != "" {
		r.Outputs["arn"] = arn
	}
	r.ID = name
	switch r.Type {
	case API:
		r.Outputs["apiEndpoint"] = fmt.Sprintf("https://%s.execute-api.%s.amazonaws.com", name, region)
		r.Outputs["executionArn"] = ExecutionARN(region, name)
	case RESTAPI:
		r.Outputs["rootResourceId"] = "root-" + name
		r.Outputs["executionArn"] = ExecutionARN(region, name)
	case RESTStage:
		api, stage := r.String("restApi"), r.String("stageName")
		r.Outputs["invokeUrl"] = fmt.Sprintf("https://%s.execute-api.%s.amazonaws.com/%s", api, region, stage)
		r.Outputs["executionArn"] = ExecutionARN(region, api) + "/" + stage
	case FunctionURL:
		r.Outputs["functionUrl"] = fmt.Sprintf("https://%s.lambda-url.%s.on.aws/", name, region)
	case APIDomainName:
		configuration := maps.Clone(r.Object("domainNameConfiguration"))
		configuration["targetDomainName"] = fmt.Sprintf("d-%s.execute-api.%s.amazonaws.com", name, region)
		r.Outputs["domainNameConfiguration"] = configuration
	case Distribution:
		r.Outputs["domainName"] = name + ".cloudfront.net"
	case Function:
		const invoke = "arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations"
		r.Outputs["invokeArn"] = fmt.Sprintf(invoke, region, arn)
	case Database:
		r.Outputs["address"] = fmt.Sprintf("%s.cluster.%s.rds.amazonaws.com", name, region)
		r.Outputs["port"] = 3306.0
		r.Outputs["endpoint"] = r.String("address") + ":3306"
		r.Outputs["resourceId"] = "db-" + name
		if r.Bool("manageMasterUserPassword") {
			r.Outputs["masterUserSecrets"] = []any{map[string]any{
				"secretArn": Secret.ARN(region, "rds!db-"+name),
			}}
		}
	case Proxy:
		r.Outputs["endpoint"] = fmt.Sprintf("%s.proxy.%s.rds.amazonaws.com", name, region)
	case VPCEndpoint:
		if r.String("vpcEndpointType") != "Interface" {
			r.Outputs["prefixListId"] = "pl-" + name
		}
	case Key:
		r.Outputs["keyId"] = name
	case Secret, StateMachine, Topic:
		r.ID = arn
	case Queue:
		r.ID = fill("https://sqs.{region}.amazonaws.com/{account}/{name}", region, name)
		r.Outputs["url"] = r.ID
	}
}
