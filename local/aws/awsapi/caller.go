package awsapi

import "context"

type accessKeyIDKey struct{}

// AccessKeyID returns the access key that signed the call, or "" for an unsigned call. A handler
// without an authorizer does not verify it.
func AccessKeyID(ctx context.Context) string {
	id, _ := ctx.Value(accessKeyIDKey{}).(string)
	return id
}

func withAccessKeyID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, accessKeyIDKey{}, id)
}
