// Command nothing is a function that does nothing. Its cold start is the minimum for every
// function.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() { lambda.Start(func() {}) }
