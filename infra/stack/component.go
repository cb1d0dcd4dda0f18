package stack

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// childOf makes a resource the child of a component. Stages that were deployed before the component
// existed have the resource below the stack itself: the alias keeps AWS's resource, and with it the
// resources below it.
func childOf(component pulumi.Resource) pulumi.ResourceOption {
	return pulumi.Composite(pulumi.Parent(component), pulumi.Aliases([]pulumi.Alias{{NoParent: pulumi.Bool(true)}}))
}
