package outputs

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// SiblingARN returns the ARN of something else in the partition and account of the thing that has
// an ARN, and in its region where the service has regions.
func SiblingARN(of pulumi.StringOutput, service, resource string) pulumi.StringOutput {
	return parsed(of, func(a arn.ARN) string {
		a.Service, a.Resource = service, resource
		if service == "iam" {
			a.Region = ""
		}
		return a.String()
	})
}

// Account returns the account in an ARN.
func Account(of pulumi.StringOutput) pulumi.StringOutput {
	return parsed(of, func(a arn.ARN) string { return a.AccountID })
}

// Region returns the region in an ARN.
func Region(of pulumi.StringOutput) pulumi.StringOutput {
	return parsed(of, func(a arn.ARN) string { return a.Region })
}

func parsed(of pulumi.StringOutput, part func(arn.ARN) string) pulumi.StringOutput {
	return of.ApplyT(func(text string) (string, error) {
		a, err := arn.Parse(text)
		if err != nil {
			return "", fmt.Errorf("reading the ARN %q: %w", text, err)
		}
		return part(a), nil
	}).(pulumi.StringOutput)
}
