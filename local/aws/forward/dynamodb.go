package forward

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
)

// dynamodb is the model of Amazon DynamoDB.
func dynamodb() Model {
	return Model{
		Service: "dynamodb", Name: "DynamoDB", Types: []graph.Type{graph.Table}, Kind: "table",
		Protocol: awsapi.JSON("1.0", "DynamoDB_20120810"), Target: "DynamoDB_20120810",
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
		Denied: awsapi.Error{Status: http.StatusBadRequest, Code: "AccessDeniedException"},
		Read:   readDynamoDB, Create: createTable,
	}
}

// The operations of DynamoDB with one table. The action has the name of the operation.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_dynamodb.html
var (
	tableOperations = []string{
		"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan",
		"CreateTable", "DescribeTable", "UpdateTable", "DeleteTable",
		"DescribeTimeToLive", "UpdateTimeToLive", "DescribeContinuousBackups", "UpdateContinuousBackups",
	}
	accountOperations = []string{"ListTables", "DescribeLimits", "DescribeEndpoints"}
)

// readDynamoDB returns the permissions of an operation. It does not read PartiQL.
func readDynamoDB(q Request) (operation string, needs []awsapi.Permission, err error) {
	type named struct{ TableName string }
	var in struct {
		named
		IndexName     string
		ResourceArn   string
		RequestItems  map[string]any
		TransactItems []struct{ Get, Put, Update, Delete, ConditionCheck *named }

		SSESpecification map[string]any
	}
	operation = q.operation()
	if err := q.decode(&in); err != nil {
		return operation, nil, err
	}
	need := func(action, table, index string) {
		arn := table
		switch {
		case table == "":
			err = fmt.Errorf("a part of it names no table")
		case !strings.HasPrefix(table, "arn:"):
			arn = graph.Table.ARN(q.Region, table)
		}
		if index != "" {
			arn += "/index/" + index
		}
		needs = append(needs, awsapi.Permission{Action: "dynamodb:" + action, Resource: arn})
	}
	switch {
	case slices.Contains(tableOperations, operation):
		// The permission to query an index is for the index:
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/using-identity-based-policies.html
		need(operation, in.TableName, in.IndexName)
	case slices.Contains(accountOperations, operation):
		needs = []awsapi.Permission{{Action: "dynamodb:" + operation, Resource: "*"}}
	case slices.Contains([]string{"TagResource", "UntagResource", "ListTagsOfResource"}, operation):
		need(operation, in.ResourceArn, "")
	case operation == "BatchGetItem" || operation == "BatchWriteItem":
		for table := range in.RequestItems {
			need(operation, table, "")
		}
	case operation == "TransactGetItems" || operation == "TransactWriteItems":
		// The parts of a transaction need the permissions of their own operations:
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
		for _, item := range in.TransactItems {
			for action, part := range map[string]*named{
				"GetItem": item.Get, "PutItem": item.Put, "UpdateItem": item.Update, "DeleteItem": item.Delete,
				"ConditionCheckItem": item.ConditionCheck,
			} {
				if part != nil {
					need(action, part.TableName, "")
				}
			}
		}
	case strings.HasSuffix(operation, "Statement") || operation == "ExecuteTransaction":
		return operation, nil, fmt.Errorf("the run does not read PartiQL, whose statements name the tables")
	default:
		return operation, nil, q.unknown()
	}
	if in.SSESpecification != nil {
		err = fmt.Errorf("the run takes the keys of tables from the program")
	}
	if len(needs) == 0 {
		err = fmt.Errorf("it names no table")
	}
	if err != nil {
		return operation, nil, err
	}
	needs, err = q.withTableKeys(needs)
	return operation, needs, err
}
