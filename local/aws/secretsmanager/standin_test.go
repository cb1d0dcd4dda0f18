package secretsmanager

import (
	"log/slog"
	"testing"

	"restock/infra/graph"
)

func TestAVersionNamesItsSecretByNameOrARN(t *testing.T) {
	arn := graph.Secret.ARN("eu-west-1", "word")
	for _, id := range []string{arn, "word"} {
		s := New(Config{Region: "eu-west-1", AccountID: graph.AccountID}, slog.New(slog.DiscardHandler))
		err := s.createDeclared(&graph.Graph{Resources: []*graph.Resource{
			{Type: graph.Secret, Outputs: map[string]any{"name": "word", "arn": arn}},
			{Type: graph.SecretVersion, Outputs: map[string]any{"secretId": id, "secretString": "example"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.getSecretValue(t.Context(), getSecretValueInput{SecretID: "word"})
		if err != nil || got.SecretString == nil || *got.SecretString != "example" {
			t.Errorf("secretId %s: got %+v, %v; want the declared value", id, got, err)
		}
	}
}
