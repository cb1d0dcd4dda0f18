// Command observe is a function that posts each message of a FIFO queue to an observer, and returns
// after the observer has answered.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func observe(ctx context.Context, batch events.SQSEvent) error {
	for _, m := range batch.Records {
		url := os.Getenv("OBSERVER") + "/" + m.Attributes["MessageGroupId"]
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(m.Body))
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("the observer answers %s", response.Status)
		}
	}
	return nil
}

func main() { lambda.Start(observe) }
