package operations

import (
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// TagAll adds the tags project and stage to every resource that can have tags, for the bill and for
// people in the AWS console.
func TagAll(ctx *pulumi.Context) error {
	tags := reflect.ValueOf(pulumi.StringMap{
		"project": pulumi.String(ctx.Project()),
		"stage":   pulumi.String(ctx.Stack()),
	})
	err := ctx.RegisterStackTransformation(
		func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			props := reflect.ValueOf(args.Props)
			if props.Kind() != reflect.Pointer || props.IsNil() {
				return nil
			}
			field := props.Elem().FieldByName("Tags")
			if !field.IsValid() || !tags.Type().AssignableTo(field.Type()) || !field.IsNil() {
				return nil
			}
			field.Set(tags)
			return &pulumi.ResourceTransformationResult{Props: args.Props, Opts: args.Opts}
		})
	if err != nil {
		return fmt.Errorf("tagging the resources: %w", err)
	}
	return nil
}
