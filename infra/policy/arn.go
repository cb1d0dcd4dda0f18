package policy

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// SiblingARN is the ARN of something else in the partition and account of what has an ARN, and in its region where the service
// has regions.
func SiblingARN(of, service, resource string) string {
	a := parse(of)
	a.Service, a.Resource = service, resource
	if service == "iam" {
		a.Region = ""
	}
	return a.String()
}

// Account is the account of what has an ARN.
func Account(of string) string { return parse(of).AccountID }

// Region is the region of what has an ARN.
func Region(of string) string { return parse(of).Region }

func parse(text string) arn.ARN {
	a, err := arn.Parse(text)
	if err != nil {
		panic(fmt.Sprintf("AWS answered with an ARN that is none: %q", text))
	}
	return a
}
