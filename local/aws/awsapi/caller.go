package awsapi

import "context"

type accessKeyIDKey struct{}

// AccessKeyID returns the access key that the call is signed with, or "" for a call without one. A handler without an authorizer
// takes the caller's word for it.
func AccessKeyID(ctx context.Context) string {
	id, _ := ctx.Value(accessKeyIDKey{}).(string)
	return id
}

func withAccessKeyID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, accessKeyIDKey{}, id)
}
