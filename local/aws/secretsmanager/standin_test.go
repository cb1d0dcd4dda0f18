package secretsmanager

import (
	"log/slog"
	"strings"
	"testing"

	"restock/infra/graph"
)

func TestADeclaredVersionIsTheValueOfItsSecret(t *testing.T) {
	version := &graph.Resource{Type: graph.SecretVersion, Name: "first", Source: "main.go:9", Outputs: map[string]any{
		"secretId": "arn", "secretString": "hush",
	}}
	create := func() (*Service, error) {
		s := New(Config{Region: "ap-northeast-2", AccountID: "000000000000"}, slog.New(slog.DiscardHandler))
		t.Cleanup(s.Close)
		return s, s.createDeclared(&graph.Graph{Resources: []*graph.Resource{
			{Type: graph.Secret, Outputs: map[string]any{"name": "key", "arn": "arn"}}, version,
		}})
	}
	s, err := create()
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.getSecretValue(t.Context(), getSecretValueInput{SecretID: "key"})
	if err != nil || got.SecretString == nil || *got.SecretString != "hush" {
		t.Errorf("got the value %v, %v; want the declared one", got.SecretString, err)
	}
	version.Outputs = map[string]any{"secretId": "arn", "secretBinary": "AAAA"}
	if _, err := create(); err == nil || !strings.Contains(err.Error(), "secretBinary (main.go:9)") {
		t.Errorf("a binary value: got %v, want an error with its line", err)
	}
}
