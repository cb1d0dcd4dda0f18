package function

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

func TestClientsUseTheirEndpointsAndTheFunctionsCredentials(t *testing.T) {
	asked := map[string]string{} // the signer of the last request, by endpoint
	endpoint := func(name string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked[name] = r.Header.Get("Authorization") + " " + r.Header.Get("X-Amz-Security-Token")
			w.WriteHeader(http.StatusBadRequest) // the SDK does not retry it
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	for name, value := range map[string]string{
		"AWS_REGION": "ap-northeast-2", "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "token",
		"AWS_ENDPOINT_URL":  endpoint("all"), "AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint("secrets"),
	} {
		t.Setenv(name, value)
	}
	c, err := awsConfig()
	if err != nil {
		t.Fatal(err)
	}
	name := "x"
	_, _ = secretsmanager.NewFromConfig(c).GetSecretValue(t.Context(),
		&secretsmanager.GetSecretValueInput{SecretId: &name})
	_, _ = sns.NewFromConfig(c).Publish(t.Context(), &sns.PublishInput{TopicArn: &name, Message: &name})
	for name, service := range map[string]string{"secrets": "secretsmanager", "all": "sns"} {
		got, scope := asked[name], "/ap-northeast-2/"+service+"/aws4_request"
		if !strings.Contains(got, "Credential=KEY/") || !strings.Contains(got, scope) ||
			!strings.HasSuffix(got, " token") {
			t.Errorf("the endpoint %s got a request by %q, want KEY and its token, for %s", name, got, scope)
		}
	}
}

func TestMissingVariablesOfLambdaAreNamed(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_ACCESS_KEY_ID", "KEY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if _, err := awsConfig(); err == nil || !strings.Contains(err.Error(), "AWS_REGION, AWS_SECRET_ACCESS_KEY") {
		t.Errorf("got %v, want an error that names AWS_REGION and AWS_SECRET_ACCESS_KEY", err)
	}
}
