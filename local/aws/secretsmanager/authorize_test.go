package secretsmanager_test

import (
	"encoding/json"
	"log/slog"
	"slices"
	"testing"

	"restock/local/aws/awsapi"
	"restock/local/aws/secretsmanager"
)

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
func TestPermissionsOfOperations(t *testing.T) {
	const (
		arn      = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:key-AbCdEf"
		function = "arn:aws:lambda:eu-west-1:000000000000:function:rotate"
	)
	service := secretsmanager.New(secretsmanager.Config{Region: "eu-west-1", AccountID: "000000000000"},
		slog.New(slog.DiscardHandler))
	t.Cleanup(service.Close)
	if err := service.Create(secretsmanager.SecretConfig{Name: "key", ARN: arn, Value: "hush"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		operation, input string
		want             []awsapi.Permission
	}{
		{"GetSecretValue", `{"SecretId":"key"}`,
			[]awsapi.Permission{{Action: "secretsmanager:GetSecretValue", Resource: arn}}},
		{"GetSecretValue", `{"SecretId":"` + arn + `","VersionStage":"AWSCURRENT"}`,
			[]awsapi.Permission{{Action: "secretsmanager:GetSecretValue", Resource: arn}}},
		{"PutSecretValue", `{"SecretId":"arn:aws:secretsmanager:eu-west-1:000000000000:secret:key"}`,
			[]awsapi.Permission{{Action: "secretsmanager:PutSecretValue", Resource: arn}}},
		{"DescribeSecret", `{"SecretId":"absent"}`,
			[]awsapi.Permission{{Action: "secretsmanager:DescribeSecret",
				Resource: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:absent-??????"}}},
		{"DescribeSecret", `{"SecretId":"arn:absent"}`,
			[]awsapi.Permission{{Action: "secretsmanager:DescribeSecret", Resource: "arn:absent"}}},
		{"CreateSecret", `{"Name":"new"}`,
			[]awsapi.Permission{{Action: "secretsmanager:CreateSecret",
				Resource: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:new-??????"}}},
		{"CreateSecret", `{"Name":"new","Tags":[{"Key":"k","Value":"v"}]}`,
			[]awsapi.Permission{{Action: "secretsmanager:CreateSecret",
				Resource: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:new-??????"},
				{Action: "secretsmanager:TagResource",
					Resource: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:new-??????"}}},
		{"TagResource", `{"SecretId":"key","Tags":[{"Key":"k","Value":"v"}]}`,
			[]awsapi.Permission{{Action: "secretsmanager:TagResource", Resource: arn}}},
		{"PutResourcePolicy", `{"SecretId":"key","ResourcePolicy":"{}"}`,
			[]awsapi.Permission{{Action: "secretsmanager:PutResourcePolicy", Resource: arn}}},
		{"ListSecrets", `{}`, []awsapi.Permission{{Action: "secretsmanager:ListSecrets", Resource: "*"}}},
		{"GetRandomPassword", `{}`, []awsapi.Permission{{Action: "secretsmanager:GetRandomPassword", Resource: "*"}}},
		{"RotateSecret", `{"SecretId":"key"}`,
			[]awsapi.Permission{{Action: "secretsmanager:RotateSecret", Resource: arn}}},
		{"RotateSecret", `{"SecretId":"key","RotationLambdaARN":"` + function + `"}`,
			[]awsapi.Permission{{Action: "secretsmanager:RotateSecret", Resource: arn},
				{Action: "lambda:InvokeFunction", Resource: function}}},
	} {
		got, err := service.Authorization().Permissions(c.operation,
			func(v any) error { return json.Unmarshal([]byte(c.input), v) })
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s %s: asks for %v, %v; want %v", c.operation, c.input, got, err, c.want)
		}
	}
}
