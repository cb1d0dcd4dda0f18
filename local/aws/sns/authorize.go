package sns

import (
	"cmp"
	"fmt"
	"net/http"

	"restock/local/aws/awsapi"
)

// Authorization lists the permissions that each operation requires.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
func (s *Service) Authorization() *awsapi.Authorization {
	return &awsapi.Authorization{
		Permissions: s.permissions,
		// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
		Denied: awsapi.Error{Status: http.StatusForbidden, Code: "AuthorizationError"},
	}
}

func (s *Service) permissions(operation string, decode func(any) error) ([]awsapi.Permission, error) {
	// An operation has at most one of the fields that name a topic.
	var in struct {
		TopicARN    string `xml:"TopicArn"`
		TargetARN   string `xml:"TargetArn"`
		ResourceARN string `xml:"ResourceArn"`
		Name        string
		Tags        []tag `xml:"Tags>member"`
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	p := awsapi.Permission{Action: "sns:" + operation, Resource: cmp.Or(in.TopicARN, in.TargetARN, in.ResourceARN)}
	switch operation {
	case "PublishBatch":
		p.Action = "sns:Publish" // https://docs.aws.amazon.com/sns/latest/dg/sns-batch-api-actions.html
	case "ListTopics", "ListSubscriptions", "Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes":
		p.Resource = "*" // the reference names no resource type for these actions
	case "CreateTopic":
		p.Resource = fmt.Sprintf("arn:aws:sns:%s:%s:%s", s.config.Region, s.config.AccountID, in.Name)
		if len(in.Tags) > 0 { // https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
			return []awsapi.Permission{p, {Action: "sns:TagResource", Resource: p.Resource}}, nil
		}
	}
	return []awsapi.Permission{p}, nil
}
