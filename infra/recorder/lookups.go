package recorder

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/graph"
)

// lookups answer the usual functions that query AWS, by token. The answers are those of the account
// of all recorded resources. Their forms are those of the provider:
// https://www.pulumi.com/registry/packages/aws/api-docs/
var lookups = map[string]func(region string, args map[string]any) (map[string]any, error){
	"aws:index/getCallerIdentity:getCallerIdentity": func(string, map[string]any) (map[string]any, error) {
		return map[string]any{
			"id": graph.AccountID, "accountId": graph.AccountID, "userId": graph.AccountID,
			"arn": "arn:aws:iam::" + graph.AccountID + ":root",
		}, nil
	},
	"aws:index/getRegion:getRegion": func(region string, _ map[string]any) (map[string]any, error) {
		// Version 7 of the provider calls the name "region".
		return map[string]any{
			"id": region, "name": region, "region": region, "description": region,
			"endpoint": "ec2." + region + ".amazonaws.com",
		}, nil
	},
	"aws:index/getPartition:getPartition": func(string, map[string]any) (map[string]any, error) {
		return map[string]any{
			"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws",
		}, nil
	},
	"aws:index/getAvailabilityZones:getAvailabilityZones": availabilityZones,
	// A run has one region.
	"aws:index/getRegions:getRegions": func(region string, _ map[string]any) (map[string]any, error) {
		return map[string]any{"id": region, "names": []any{region}}, nil
	},
	// No recording runs an instance, so any image will do.
	"aws:ec2/getAmi:getAmi": func(region string, _ map[string]any) (map[string]any, error) {
		const image = "ami-00000000000000000"
		return map[string]any{"id": image, "imageId": image, "arn": "arn:aws:ec2:" + region + "::image/" + image}, nil
	},
	"aws:iam/getPolicyDocument:getPolicyDocument": policyDocument,
}

func availabilityZones(region string, _ map[string]any) (map[string]any, error) {
	return map[string]any{
		"id": region, "names": []any{region + "a", region + "b", region + "c"},
		"zoneIds": []any{"az1", "az2", "az3"}, "groupNames": []any{region},
	}, nil
}

// Call answers the functions in lookups if Options.Lookups is on. It refuses all others: a
// recording has no account to query.
func (r *Recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	lookup := lookups[args.Token]
	if !r.options.Lookups || lookup == nil {
		text := "the program calls " + args.Token + ": a recording cannot query AWS"
		if r.options.Lookups {
			text += "; it answers " + strings.Join(slices.Sorted(maps.Keys(lookups)), ", ")
		}
		return nil, fmt.Errorf("%s", text)
	}
	answer, err := lookup(r.options.Config["aws:region"], plain(args.Args))
	if err != nil {
		return nil, fmt.Errorf("the program calls %s: %w", args.Token, err)
	}
	return resource.NewPropertyMapFromMap(answer), nil
}

// policyDocument writes a policy like the provider does.
// https://www.pulumi.com/registry/packages/aws/api-docs/iam/getpolicydocument/
func policyDocument(_ string, args map[string]any) (map[string]any, error) {
	for _, property := range []string{"sourcePolicyDocuments", "overridePolicyDocuments"} {
		if args[property] != nil {
			return nil, fmt.Errorf("a recording does not support %s: write the statements into one document", property)
		}
	}
	declared := graph.Resource{Outputs: args}
	var statements []map[string]any
	for _, given := range declared.Objects("statements") {
		s := graph.Resource{Outputs: given}
		statement := map[string]any{"Effect": cmp.Or(s.String("effect"), "Allow")}
		if sid := s.String("sid"); sid != "" {
			statement["Sid"] = sid
		}
		for element, property := range map[string]string{
			"Action": "actions", "NotAction": "notActions", "Resource": "resources", "NotResource": "notResources",
		} {
			if values := s.Strings(property); len(values) > 0 {
				statement[element] = values
			}
		}
		for element, property := range map[string]string{"Principal": "principals", "NotPrincipal": "notPrincipals"} {
			if principals := s.Objects(property); len(principals) > 0 {
				statement[element] = principalOf(principals)
			}
		}
		conditions := map[string]map[string][]string{}
		for _, given := range s.Objects("conditions") {
			c := graph.Resource{Outputs: given}
			if conditions[c.String("test")] == nil {
				conditions[c.String("test")] = map[string][]string{}
			}
			keys := conditions[c.String("test")]
			keys[c.String("variable")] = append(keys[c.String("variable")], c.Strings("values")...)
		}
		if len(conditions) > 0 {
			statement["Condition"] = conditions
		}
		statements = append(statements, statement)
	}
	document := map[string]any{"Version": cmp.Or(declared.String("version"), "2012-10-17"), "Statement": statements}
	if id := declared.String("policyId"); id != "" {
		document["Id"] = id
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": "document", "json": string(text), "minifiedJson": string(text)}, nil
}

// principalOf returns the element of a policy that names principals.
func principalOf(principals []map[string]any) any {
	byType := map[string][]string{}
	for _, given := range principals {
		p := graph.Resource{Outputs: given}
		if p.String("type") == "*" {
			return "*"
		}
		byType[p.String("type")] = append(byType[p.String("type")], p.Strings("identifiers")...)
	}
	return byType
}
