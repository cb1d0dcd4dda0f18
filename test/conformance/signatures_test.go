package conformance

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// commonErrors are the pages of the errors with which each service answers unknown callers. SQS's
// page has the codes of its older protocol; its clients use those.
var commonErrors = map[string]string{
	"sqs":            "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html",
	"sns":            "https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html",
	"secretsmanager": "https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html",
}

// credentialScope is the page of the errors of signatures for another date, region or service.
const credentialScope = iamGuide + "signature-v4-troubleshooting.html"

// listAs has a request to each service. The credentials sign it for a region.
var listAs = map[string]func(t *T, region string, c aws.CredentialsProvider) error{
	"sqs": func(t *T, region string, c aws.CredentialsProvider) error {
		client := sqs.New(sqs.Options{
			BaseEndpoint: &endpoint.url, Region: region, Credentials: c, Retryer: aws.NopRetryer{},
		})
		_, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
		return err
	},
	"sns": func(t *T, region string, c aws.CredentialsProvider) error {
		client := sns.New(sns.Options{
			BaseEndpoint: &endpoint.url, Region: region, Credentials: c, Retryer: aws.NopRetryer{},
		})
		_, err := client.ListTopics(t.Context(), &sns.ListTopicsInput{})
		return err
	},
	"secretsmanager": func(t *T, region string, c aws.CredentialsProvider) error {
		client := secretsmanager.New(secretsmanager.Options{
			BaseEndpoint: &endpoint.url, Region: region, Credentials: c, Retryer: aws.NopRetryer{},
		})
		_, err := client.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
		return err
	},
}

func TestSignatures(t *testing.T) {
	var cases []conformanceCase
	for _, service := range []string{"sqs", "sns", "secretsmanager"} {
		list, doc := listAs[service], commonErrors[service]
		cases = append(cases,
			conformanceCase{service + ": a known key with its secret is accepted", doc, func(t *T) {
				t.ok(list(t, endpoint.region, credentialsProvider))
			}},
			conformanceCase{service + ": an unknown key is refused", doc, func(t *T) {
				nobody := credentials.NewStaticCredentialsProvider("AKIA0000000000NOBODY", "secret", "")
				t.refused(list(t, endpoint.region, nobody), "InvalidClientTokenId", "UnrecognizedClientException")
			}},
			conformanceCase{service + ": a wrong secret is refused", doc, func(t *T) {
				known, err := credentialsProvider.Retrieve(t.Context())
				t.ok(err)
				wrong := credentials.NewStaticCredentialsProvider(known.AccessKeyID, known.SecretAccessKey+"x",
					known.SessionToken)
				t.refused(list(t, endpoint.region, wrong), "SignatureDoesNotMatch", "InvalidSignatureException")
			}},
			conformanceCase{service + ": a signature for another region is refused", credentialScope, func(t *T) {
				elsewhere := "us-east-1"
				if endpoint.region == elsewhere {
					elsewhere = "eu-west-1"
				}
				t.refused(list(t, elsewhere, credentialsProvider), "SignatureDoesNotMatch", "InvalidSignatureException")
			}},
			conformanceCase{service + ": an unsigned request is refused", doc, func(t *T) {
				t.refused(list(t, endpoint.region, aws.AnonymousCredentials{}), "MissingAuthenticationToken",
					"MissingAuthenticationTokenException")
			}},
		)
	}
	check(t, cases)
}
