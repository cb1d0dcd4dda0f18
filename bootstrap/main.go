// Command bootstrap is a Pulumi program of its own. It declares what an AWS account needs before
// the shop's stack is deployed there: the bucket for Pulumi's state, and the roles of GitHub's
// workflows. An administrator runs it once, and again after changes; no workflow may run it.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// project is the Pulumi project of the deployed stages: the name in ../Pulumi.yaml.
const project = "restock"

func main() {
	pulumi.Run(bootstrap)
}

func bootstrap(ctx *pulumi.Context) error {
	settings, err := loadSettings(ctx)
	if err != nil {
		return err
	}
	state, err := newState(ctx)
	if err != nil {
		return err
	}
	github, err := newGitHub(ctx, settings.Repository)
	if err != nil {
		return err
	}
	previewRoles, deployRoles := pulumi.StringMap{}, pulumi.StringMap{}
	boundaries, providers := pulumi.StringMap{}, pulumi.StringMap{}
	environments := settings.environments()
	for _, e := range environments {
		var others []string
		for _, other := range environments {
			if other != e {
				others = append(others, other.stages)
			}
		}
		deploy, boundary, err := newDeployRole(ctx, settings.Region, e, others, github, state)
		if err != nil {
			return err
		}
		deployRoles[e.name], boundaries[e.name] = deploy.Arn, boundary.Arn
		providers[e.name] = pulumi.String(secretsProvider(settings.Region, e.name))
		if e.manyStages() {
			continue // a pull request's stage is created without a preview
		}
		preview, err := newPreviewRole(ctx, e, github, state)
		if err != nil {
			return err
		}
		previewRoles[e.name] = preview.Arn
	}

	ctx.Export("backendUrl", pulumi.Sprintf("s3://%s?region=%s", state.bucket.Bucket, settings.Region))
	ctx.Export("secretsProviders", providers)
	ctx.Export("permissionsBoundaries", boundaries)
	ctx.Export("previewRoles", previewRoles)
	ctx.Export("deployRoles", deployRoles)
	return nil
}

// tags name the project, for people in the AWS console.
func tags() pulumi.StringMap { return pulumi.StringMap{"project": pulumi.String(project)} }
