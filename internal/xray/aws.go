package xray

import (
	"context"
	"errors"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// AWS records the calls of a client of the AWS SDK. It is for aws.Config.APIOptions.
func (r *Recorder) AWS(stack *middleware.Stack) error {
	return stack.Build.Add(middleware.BuildMiddlewareFunc("Subsegment", r.awsCall), middleware.Before)
}

// awsCall records a call with all its retries. The called service gets the subsegment as the parent
// of its own: the SDK adds the invocation's header only if there is none.
func (r *Recorder) awsCall(
	ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler,
) (out middleware.BuildOutput, metadata middleware.Metadata, err error) {
	ctx, s, ok := begin(ctx, awsmiddleware.GetServiceID(ctx), "aws")
	if !ok {
		return next.HandleBuild(ctx, in)
	}
	s.AWS = &awsCall{Operation: awsmiddleware.GetOperationName(ctx), Region: awsmiddleware.GetRegion(ctx)}
	if request, isHTTP := in.Request.(*smithyhttp.Request); isHTTP {
		p, _ := parentOf(ctx)
		request.Header.Set("X-Amzn-Trace-Id", p.header())
	}
	out, metadata, err = next.HandleBuild(ctx, in)
	if answer := (*smithyhttp.ResponseError)(nil); errors.As(err, &answer) {
		s.setStatus(answer.HTTPStatusCode())
		s.Throttle = s.Throttle || retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool()
	}
	s.Fault = err != nil && !s.Error
	r.end(ctx, s)
	return out, metadata, err
}
