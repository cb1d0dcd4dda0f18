// Command nothing is a function that does nothing: what every function needs at least to start.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() { lambda.Start(func() {}) }
