// Command save is a function that writes to a bucket and to a table with AWS's SDK.
package main

import (
	"context"
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
	if _, err := objects.PutObject(ctx, &s3.PutObjectInput{
		Bucket: bucket, Key: aws.String("orders/" + o.ID + ".txt"), Body: strings.NewReader(o.Text),
	}); err != nil {
		return "", err
	}
	if _, err := dynamodb.NewFromConfig(c).PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(os.Getenv("TABLE")),
		Item:      map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: o.ID}},
	}); err != nil {
		return "", err
	}
	return o.Text, nil
}

func main() { lambda.Start(save) }
