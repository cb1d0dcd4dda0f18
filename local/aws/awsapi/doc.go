// Package awsapi serves AWS's wire protocols. Its http.Handler finds the service and the operation
// of a request, decodes the input, calls a typed Go function, and encodes its output or error as
// the AWS SDKs and the AWS CLI expect. A service is a table of operations:
//
//	awsapi.Service{
//		Name:     "sns",
//		Protocol: awsapi.Query("2010-03-31", "http://sns.amazonaws.com/doc/2010-03-31/"),
//		Operations: map[string]awsapi.Operation{
//			// func(context.Context, publishInput) (publishOutput, error)
//			"Publish": awsapi.Handle(s.publish),
//		},
//	}
//
// https://smithy.io/2.0/aws/protocols/index.html describes the protocols. There is no Go library for
// their server side: smithy-go generates clients, its service generator (aws/smithy-go pull request
// 497) is a Java build step for a part of awsJson1.0, and the server/wire packages of
// stackshy/cloudemu parse forms for EC2 only.
//
// A handler with an [Authorizer] verifies each request's signature (Signature Version 4 in
// headers), and checks that the caller has the permissions that the service defines for the
// operation.
//
// A long poll ends when the request's context ends, so the http.Server needs a BaseContext that
// ends with the program.
package awsapi
