package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/settings"
)

// Settings are the value of restock-bootstrap:settings in Pulumi.<stack>.yaml, and the region.
type Settings struct {
	// Repository is the repository's name in the subjects of GitHub's tokens: owner@id/name@id, or
	// owner/name for a repository that is older than the ids. See
	// https://docs.github.com/en/actions/reference/security/oidc
	Repository string `json:"repository"`
	// Environments maps the repository's GitHub environments to the stages that each may deploy:
	// one stage by its name, or all stages with a prefix, like pr-*.
	Environments map[string]string `json:"environments"`

	Region string `json:"-"`
}

// An environment is a GitHub environment and the stages that it may deploy.
type environment struct {
	name   string
	stages string // a stage's name, or a prefix and *
}

// manyStages reports whether the environment deploys more than one stage.
func (e environment) manyStages() bool { return strings.HasSuffix(e.stages, "*") }

// environments returns the settings' environments, sorted by name.
func (s Settings) environments() []environment {
	var list []environment
	for _, name := range slices.Sorted(maps.Keys(s.Environments)) {
		list = append(list, environment{name, s.Environments[name]})
	}
	return list
}

// loadSettings reads and checks the settings. Its errors name the key, the value and the allowed
// values.
func loadSettings(ctx *pulumi.Context) (s Settings, err error) {
	err = settings.Load(ctx, &s, "repository and environments are needed", func(region string) error {
		s.Region = region
		return s.validate()
	})
	return s, err
}

var (
	// repositoryForm has no wildcard and no colon: after a colon, the subject of a token continues.
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9-]+(@[0-9]+)?/[A-Za-z0-9._-]+(@[0-9]+)?$`)
	nameForm       = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	stagesForm     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}\*?$`)
)

func (s Settings) validate() error {
	var errs []error
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s is %q: %s", key, value, allowed))
		}
	}
	check(repositoryForm.MatchString(s.Repository), "repository", s.Repository,
		"owner@id/name@id, as the repository's tokens name it (owner/name where they have no ids)")
	check(len(s.Environments) > 0, "environments", "", "one or more, like dev: dev")
	environments := s.environments()
	for i, e := range environments {
		key := "environments." + e.name
		check(nameForm.MatchString(e.name), key, e.name, "a name in small letters, digits and hyphens")
		check(stagesForm.MatchString(e.stages), key, e.stages,
			"a stage's name, or the beginning of names and *, like pr-*")
		for _, other := range environments[:i] {
			check(!overlap(e.stages, other.stages), key, e.stages,
				"no stage that environments."+other.name+" deploys, "+other.stages)
		}
	}
	return errors.Join(errs...)
}

// overlap reports whether a stage may match both patterns, or whether the names of one's resources
// may begin like those of the other: a stage dev-x makes the queue restock-dev-x-q, and the role of
// dev may act on restock-dev-*.
func overlap(a, b string) bool {
	begin := func(pattern string) string {
		if prefix, many := strings.CutSuffix(pattern, "*"); many {
			return prefix
		}
		return pattern + "-"
	}
	return strings.HasPrefix(begin(a), begin(b)) || strings.HasPrefix(begin(b), begin(a))
}
