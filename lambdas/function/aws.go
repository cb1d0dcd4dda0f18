package function

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// awsConfig returns the SDK's configuration from the variables that Lambda sets in every function's
// environment, and from the SDK's own variables for endpoints.
//
// The SDK's package config would find the same values. But it also looks in files and asks services
// that a function does not have. The clients of these services would add half a megabyte to each
// zip, and a third to a cold start.
//
//	https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func awsConfig() (aws.Config, error) {
	var missing []string
	variable := func(name string) string {
		value := os.Getenv(name)
		if value == "" {
			missing = append(missing, name)
		}
		return value
	}
	c := aws.Config{
		Region: variable("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")),
		ConfigSources: []any{serviceEndpoints{}},
		Retryer:       newRetryer,
	}
	if len(missing) > 0 {
		return c, fmt.Errorf("configuring the AWS SDK: the environment has no %s, which Lambda sets",
			strings.Join(missing, ", "))
	}
	if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" {
		c.BaseEndpoint = &url
	}
	return c, nil
}

// serviceEndpoints finds the endpoints of single services in the environment. They take precedence
// over AWS_ENDPOINT_URL.
//
//	https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
type serviceEndpoints struct{}

// GetServiceBaseEndpoint is the method that the SDK's clients look for in a configuration's
// sources. An id is like "Secrets Manager".
func (serviceEndpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (url string, found bool, err error) {
	url = os.Getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(sdkID, " ", "_")))
	return url, url != "", nil
}
