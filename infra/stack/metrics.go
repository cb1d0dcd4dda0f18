package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// A metric is a CloudWatch metric, of AWS or of the functions.
type metric struct {
	namespace, name string
	dimensions      pulumi.StringMap
}

// metrics names the metrics of a stage.
type metrics struct {
	stage     string // the namespace of the functions' measurements
	messaging *messaging
	database  *database
	api       *api
}

// metricsNamespace is the namespace of the functions' measurements. Each stage has its own, because
// stages may share an account.
func metricsNamespace(ctx *pulumi.Context) string { return ctx.Project() + "/" + ctx.Stack() }

// ofBusiness returns a metric that package lambdas declares.
func (m metrics) ofBusiness(name string) metric { return metric{m.stage, name, nil} }

func (m metrics) ofQueue(queue, name string) metric {
	return metric{"AWS/SQS", name, pulumi.StringMap{"QueueName": m.messaging.queues[queue].Name}}
}

func (m metrics) ofDeadLetters(queue, name string) metric {
	return metric{"AWS/SQS", name, pulumi.StringMap{"QueueName": m.messaging.queues[queue].deadLetters.Name}}
}

func (m metrics) ofDatabase(name string) metric {
	return metric{"AWS/RDS", name, pulumi.StringMap{"DBInstanceIdentifier": m.database.instance.Identifier}}
}

func (m metrics) ofAPI(name string) metric {
	return metric{"AWS/ApiGateway", name, pulumi.StringMap{"ApiId": m.api.api.ID().ToStringOutput()}}
}

func (f *function) metric(name string) metric {
	return metric{"AWS/Lambda", name, pulumi.StringMap{"FunctionName": f.lambda.Name}}
}
