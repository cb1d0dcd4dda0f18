// Package conformance is a suite of tests over the AWS API as a client sees it. Every case is a behaviour that AWS
// documents, with the page that says so, and is tried with the AWS SDK. The package holds nothing else.
//
// The suite runs against the local run's endpoint, started in the test's own process, or against any other:
//
//	go test ./test/conformance
//	CONFORMANCE_ENDPOINT=http://127.0.0.1:5000 go test ./test/conformance
//
// It makes the queues, topics and secrets that it needs through the API, under names that are in nobody's way, and deletes
// them. Requests are signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or local and local, for AWS_REGION.
//
// Another endpoint may differ from AWS's documentation. Where moto's server (https://docs.getmoto.org) does is listed in
// knownDifferences; those cases must fail there, and are skipped with what was different, so that the list stays true. That
// the endpoint is moto's is seen from its /moto-api/, or said with CONFORMANCE_KNOWN=moto.
package conformance
