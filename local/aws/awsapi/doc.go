// Package awsapi serves AWS's wire protocols: one http.Handler that finds the service and the operation a request is
// for, decodes the input, calls a typed Go function, and encodes its output or error the way the AWS SDKs and the AWS
// CLI expect. A service is a table of operations:
//
//	awsapi.Service{
//		Name:     "sns",
//		Protocol: awsapi.Query("2010-03-31", "http://sns.amazonaws.com/doc/2010-03-31/"),
//		Operations: map[string]awsapi.Operation{
//			"Publish": awsapi.Handle(s.publish), // func(context.Context, publishInput) (publishOutput, error)
//		},
//	}
//
// The protocols are described at https://smithy.io/2.0/aws/protocols/index.html. The server side of them was looked
// for in Go and not found: smithy-go generates clients, and its service generator (aws/smithy-go pull request 497) is a
// Java build step that covers a part of awsJson1.0; stackshy/cloudemu's server/wire packages parse forms for EC2 alone.
//
// A handler with an [Authorizer] verifies each request's signature (Signature Version 4, in the headers), and asks whether the
// caller has the permissions that the service names for the operation.
//
// Long polls end when the request's context ends: give the http.Server a BaseContext that ends with the program.
package awsapi
