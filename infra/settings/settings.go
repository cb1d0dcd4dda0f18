// Package settings reads a program's settings: one object of its configuration, strictly.
package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// key is the one of the project's configuration that holds its settings.
const key = "settings"

// Load reads <project>:settings of Pulumi.<stack>.yaml into a struct that holds the defaults, and checks it for the region that is
// configured beside it. needed says what has no default. Errors name the file and, as far as check does, the key, the value and what is allowed.
func Load(ctx *pulumi.Context, into any, needed string, check func(region string) error) error {
	region, err := config.Try(ctx, "aws:region")
	if err != nil {
		return fmt.Errorf("reading Pulumi.%s.yaml: aws:region is missing", ctx.Stack())
	}
	name := ctx.Project() + ":" + key
	err = decode(config.Get(ctx, name), into, needed)
	if err == nil {
		err = check(region)
	}
	if err != nil {
		return fmt.Errorf("reading Pulumi.%s.yaml: %s: %w", ctx.Stack(), name, err)
	}
	return nil
}

func decode(text string, into any, needed string) error {
	if text == "" {
		return errors.New("is missing: " + needed)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the object")
	}
	return nil
}
