package secretsmanager

import (
	"fmt"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/standin"
)

// StandIn returns the service as a run's stand-in. It creates the declared secrets, and enables
// their rotations.
func (s *Service) StandIn() standin.StandIn {
	return standin.StandIn{
		Service: "secretsmanager", Name: "Secrets Manager",
		Types:  []graph.Type{graph.Secret, graph.SecretPolicy, graph.SecretRotation, graph.SecretVersion},
		Create: s.createDeclared,
		Start:  s.startRotations,
		APIs:   []awsapi.Service{s.API()},
		Policy: s.Policy,
		Nodes:  Nodes,
	}
}

// Nodes draws all secrets as one node, and the functions that read or write one of them.
var Nodes = []standin.Node{{
	Kind: "secrets", Shared: allSecrets,
	Calls: []standin.Call{{Action: "secretsmanager:GetSecretValue"}, {Action: "secretsmanager:PutSecretValue"}},
}}

// allSecrets returns the ARNs of the declared secrets, and of those that RDS creates for the
// administrators of databases.
func allSecrets(g *graph.Graph) (arns []string) {
	for _, r := range g.OfType(graph.Secret) {
		arns = append(arns, r.String("arn"))
	}
	for _, r := range g.OfType(graph.Database) {
		for _, secret := range r.Objects("masterUserSecrets") {
			arns = append(arns, fmt.Sprint(secret["secretArn"]))
		}
	}
	return arns
}

// createDeclared creates the secrets that a program declares, with the values that it declares.
func (s *Service) createDeclared(g *graph.Graph) error {
	for _, r := range g.OfType(graph.Secret) {
		config := SecretConfig{
			Name: r.String("name"), ARN: r.String("arn"), Description: r.String("description"),
			Policy: r.String("policy"),
		}
		if policy := g.Find(graph.SecretPolicy, "secretArn", config.ARN); policy != nil {
			config.Policy = policy.String("policy")
		}
		version := g.Find(graph.SecretVersion, "secretId", config.ARN)
		if version == nil { // secretId may be the ARN or the name
			version = g.Find(graph.SecretVersion, "secretId", config.Name)
		}
		if version != nil {
			if version.String("secretBinary") != "" {
				return fmt.Errorf("secret version %s: the run keeps a declared secretString, not a secretBinary (%s)",
					version.Name, version.Source)
			}
			config.Value = version.String("secretString")
		}
		if err := s.Create(config); err != nil {
			return err
		}
	}
	return nil
}

// startRotations enables the declared rotations. As on AWS, a new rotation begins at once, unless
// the program says otherwise.
func (s *Service) startRotations(g *graph.Graph) error {
	for _, r := range g.OfType(graph.SecretRotation) {
		rules := graph.Resource{Outputs: r.Object("rotationRules")}
		immediately, declared := r.Outputs["rotateImmediately"].(bool)
		err := s.SetRotation(r.String("secretId"), RotationConfig{
			FunctionARN: r.String("rotationLambdaArn"),
			Rules: RotationRules{
				AutomaticallyAfterDays: int(rules.Number("automaticallyAfterDays")),
				Duration:               rules.String("duration"),
				ScheduleExpression:     rules.String("scheduleExpression"),
			},
			RotateImmediately: immediately || !declared,
		})
		if err != nil {
			return fmt.Errorf("rotation %s: %w", r.Name, err)
		}
	}
	return nil
}
