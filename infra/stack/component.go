package stack

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// childOf makes a resource the child of a component. In stages that were deployed before the
// component existed, the resource is a child of the stack: the alias lets Pulumi keep the resource,
// and its children, instead of replacing them.
func childOf(component pulumi.Resource) pulumi.ResourceOption {
	return pulumi.Composite(pulumi.Parent(component), pulumi.Aliases([]pulumi.Alias{{NoParent: pulumi.Bool(true)}}))
}
