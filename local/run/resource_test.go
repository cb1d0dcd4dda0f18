package run_test

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/graph"
)

// A resource has the outputs that the programs of the tests use.
type resource struct {
	pulumi.CustomResourceState
	ARN          pulumi.StringOutput `pulumi:"arn"`
	Bucket       pulumi.StringOutput `pulumi:"bucket"`
	Name         pulumi.StringOutput `pulumi:"name"`
	PrefixListID pulumi.StringOutput `pulumi:"prefixListId"`
	URL          pulumi.StringOutput `pulumi:"url"`
}

// newResource declares a resource, like the constructors of pulumi-aws. The tests do not use
// pulumi-aws, because linking its package ec2 alone takes seconds.
func newResource(ctx *pulumi.Context, kind graph.Type, name string, inputs pulumi.Map) (*resource, error) {
	var r resource
	if err := ctx.RegisterResource(string(kind), name, inputs, &r); err != nil {
		return nil, err
	}
	return &r, nil
}
