package forward

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
)

// states is the model of Step Functions.
func states() Model {
	return Model{
		Service: "states", Name: "Step Functions", Types: []graph.Type{graph.StateMachine}, Kind: "state-machine",
		Protocol: awsapi.JSON("1.0", "AWSStepFunctions"), Target: "AWSStepFunctions",
		Denied: awsapi.Error{Status: http.StatusBadRequest, Code: "AccessDeniedException"},
		Read:   readStates,
		Create: func(r *graph.Resource) ([]Call, error) {
			return encode([]Call{{Operation: "CreateStateMachine", Exists: []string{"StateMachineAlreadyExists"}}},
				map[string]any{
					"name": r.String("name"), "definition": r.String("definition"), "roleArn": r.String("roleArn"),
					"type": cmp.Or(r.String("type"), "STANDARD"),
				})
		},
	}
}

// readStates returns the permissions of an operation on state machines and executions.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
func readStates(q Request) (operation string, needs []awsapi.Permission, err error) {
	var in struct {
		StateMachineArn string `json:"stateMachineArn"`
		ExecutionArn    string `json:"executionArn"`
		RoleArn         string `json:"roleArn"`
	}
	operation = q.operation()
	if err := q.decode(&in); err != nil {
		return operation, nil, err
	}
	on := ""
	switch {
	case slices.Contains([]string{
		"StartExecution", "StartSyncExecution", "ListExecutions", "DescribeStateMachine", "UpdateStateMachine",
		"DeleteStateMachine",
	}, operation):
		on = in.StateMachineArn
	case slices.Contains([]string{"DescribeExecution", "StopExecution", "GetExecutionHistory"}, operation):
		on = in.ExecutionArn
	case operation == "ListStateMachines":
		on = "*"
	default:
		return operation, nil, q.unknown()
	}
	if on == "" {
		err = errors.New("it names no state machine and no execution")
	}
	needs = []awsapi.Permission{{Action: "states:" + operation, Resource: on}}
	return operation, passRole(needs, in.RoleArn), err
}

// passRole adds the permission to give a service a role, if a call does.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func passRole(needs []awsapi.Permission, role string) []awsapi.Permission {
	if role == "" {
		return needs
	}
	return append(needs, awsapi.Permission{Action: "iam:PassRole", Resource: role})
}
