// Package settings reads the settings of a Pulumi program: one object in its configuration. Unknown
// keys and wrong values are errors that name the key, so that a typing error does not become a
// default. The stack and bootstrap use this package.
package settings

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"restock/infra/settings/strict"
)

// key is the configuration key of the settings, in the project's namespace.
const key = "settings"

// Load reads <project>:settings of Pulumi.<stack>.yaml into a struct that holds the defaults, and
// calls check with the region in aws:region. The error about missing settings ends with required,
// which names the keys without a default. Errors name the file, the key, the value and the allowed
// values; check must do this too.
func Load(ctx *pulumi.Context, into any, required string, check func(region string) error) error {
	region, err := config.Try(ctx, "aws:region")
	if err != nil {
		return fmt.Errorf("reading Pulumi.%s.yaml: aws:region is missing", ctx.Stack())
	}
	name := ctx.Project() + ":" + key
	err = errors.New("is missing: " + required)
	if text := config.Get(ctx, name); text != "" {
		err = strict.Decode(text, into)
	}
	if err == nil {
		err = check(region)
	}
	if err != nil {
		return fmt.Errorf("reading Pulumi.%s.yaml: %s: %w", ctx.Stack(), name, err)
	}
	return nil
}
