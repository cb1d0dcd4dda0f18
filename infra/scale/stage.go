package scale

import (
	"fmt"
	"strings"

	"restock/infra/graph"
	"restock/lambdas"
)

// Of reads what bounds a rush from a stage's recorded program.
func Of(stage string, g *graph.Graph) (Stage, error) {
	s := Stage{Name: stage}
	for _, api := range g.OfType("aws:apigatewayv2/stage:Stage") {
		limits := graph.Resource{Outputs: api.Object("defaultRouteSettings")}
		s.RatePerSecond, s.Burst = limits.Number("throttlingRateLimit"), int(limits.Number("throttlingBurstLimit"))
	}
	function := g.Find("aws:lambda/function:Function", "name", lambdas.SalesAPI.Name)
	if function == nil {
		return s, fmt.Errorf("stage %s has no function %s", stage, lambdas.SalesAPI.Name)
	}
	s.Instances = int(function.Number("reservedConcurrentExecutions"))
	s.Connections = s.Instances * lambdas.SalesAPI.Connections() // the settings are checked to leave each instance its own
	for _, instance := range g.OfType("aws:rds/instance:Instance") {
		class := instance.String("instanceClass")
		if s.Processors = processors[class[strings.LastIndex(class, ".")+1:]]; s.Processors == 0 {
			return s, fmt.Errorf("stage %s: how many processors %s has is not known here", stage, class)
		}
	}
	return s, s.validate()
}

// processors are those of the sizes of an instance class, the same in all families that the stack may be given:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
var processors = map[string]int{
	"micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32,
}
