// Package conformance tests endpoints of the AWS API with the AWS SDK. Each case is a behaviour
// that AWS documents, with the page of the documentation. The package contains only tests.
//
// Without CONFORMANCE_ENDPOINT, the tests start the local run's stand-ins in their own process:
//
//	go test ./test/conformance
//	CONFORMANCE_ENDPOINT=http://127.0.0.1:5000 go test ./test/conformance
//
// The tests create queues, topics and secrets with unique names and delete them. They sign requests
// with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (default: local and local) for the region
// AWS_REGION.
//
// moto's server (https://docs.getmoto.org) differs from AWS's documentation in the cases that
// knownDifferences lists. On that server these cases must fail, so that the list stays true; the
// tests report them as skipped. The tests recognize moto by its page /moto-api/, or by
// CONFORMANCE_KNOWN=moto.
package conformance
