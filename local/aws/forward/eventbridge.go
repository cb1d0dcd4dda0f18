package forward

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
)

// eventBridge is the model of EventBridge. The emulator keeps events and rules, but invokes no
// function of the run.
func eventBridge() Model {
	return Model{
		Service: "events", Name: "EventBridge", Types: []graph.Type{graph.EventBus}, Kind: "event-bus",
		Protocol: awsapi.JSON("1.1", "AWSEvents"), Target: "AWSEvents",
		Denied: awsapi.Error{Status: http.StatusBadRequest, Code: "AccessDeniedException"},
		Read:   readEvents,
		Create: func(r *graph.Resource) ([]Call, error) {
			return encode([]Call{{Operation: "CreateEventBus", Exists: []string{"ResourceAlreadyExistsException"}}},
				map[string]any{"Name": r.String("name")})
		},
	}
}

// readEvents returns the permissions of an operation on event buses and rules.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
func readEvents(q Request) (operation string, needs []awsapi.Permission, err error) {
	var in struct {
		Name, Rule, EventBusName, RoleArn string
		Entries                           []struct{ EventBusName string }
		Targets                           []struct{ RoleArn string }
	}
	operation = q.operation()
	if err := q.decode(&in); err != nil {
		return operation, nil, err
	}
	bus := func(name string) string {
		switch {
		case name == "":
			name = "default"
		case strings.HasPrefix(name, "arn:"):
			return name
		}
		return graph.EventBus.ARN(q.Region, name)
	}
	need := func(resource string) {
		needs = append(needs, awsapi.Permission{Action: "events:" + operation, Resource: resource})
	}
	rule := in.Name
	switch {
	case operation == "PutEvents":
		for _, entry := range in.Entries {
			need(bus(entry.EventBusName))
		}
		if len(needs) == 0 {
			err = errors.New("it has no events")
		}
	case slices.Contains([]string{"CreateEventBus", "DescribeEventBus", "DeleteEventBus"}, operation):
		need(bus(in.Name))
	case slices.Contains([]string{"ListRules", "ListEventBuses"}, operation):
		need("*")
	case slices.Contains([]string{"PutTargets", "RemoveTargets", "ListTargetsByRule"}, operation):
		rule = in.Rule
		fallthrough
	case slices.Contains([]string{"PutRule", "DescribeRule", "DeleteRule", "EnableRule", "DisableRule"}, operation):
		if rule == "" {
			return operation, nil, errors.New("it names no rule")
		}
		// The ARN of a rule has the name of its bus, except of the default one.
		_, name, _ := strings.Cut(bus(in.EventBusName), ":event-bus/")
		if name != "default" {
			rule = name + "/" + rule
		}
		need(graph.EventRule.ARN(q.Region, rule))
		needs = passRole(needs, in.RoleArn)
		for _, target := range in.Targets {
			needs = passRole(needs, target.RoleArn)
		}
	default:
		err = q.unknown()
	}
	return operation, needs, err
}

// passRole adds the permission to give a service a role, if a call does.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func passRole(needs []awsapi.Permission, role string) []awsapi.Permission {
	if role == "" {
		return needs
	}
	return append(needs, awsapi.Permission{Action: "iam:PassRole", Resource: role})
}
