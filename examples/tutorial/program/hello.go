package program

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// hello is the first exercise: a function behind a route.
func hello(ctx *pulumi.Context, on platform) error {
	hello, err := newFunction(ctx, on, "hello", 3*time.Second, nil)
	if err != nil {
		return err
	}
	return on.api.route(ctx, "POST /", hello)
}
