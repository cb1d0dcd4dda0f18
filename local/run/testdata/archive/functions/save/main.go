// Command save is a function that uses a bucket and a table with AWS's SDK.
package main

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

type order struct{ ID, Text string }

// save stores the text as an object, and the order as an item. It returns the text of the object.
func save(ctx context.Context, o order) (string, error) {
	c, err := config.LoadDefaultConfig(ctx, config.WithRetryMaxAttempts(1))
	if err != nil {
		return "", err
	}
	objects, bucket := s3.NewFromConfig(c), aws.String(os.Getenv("BUCKET"))
	key := aws.String("orders/" + o.ID + ".txt")
	if _, err := objects.PutObject(ctx, &s3.PutObjectInput{
		Bucket: bucket, Key: key, Body: strings.NewReader(o.Text),
	}); err != nil {
		return "", err
	}
	stored, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		return "", err
	}
	defer stored.Body.Close()
	text, err := io.ReadAll(stored.Body)
	if err != nil {
		return "", err
	}
	if _, err := dynamodb.NewFromConfig(c).PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(os.Getenv("TABLE")),
		Item:      map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: o.ID}},
	}); err != nil {
		return "", err
	}
	return string(text), nil
}

func main() { lambda.Start(save) }
