// Package secretstest is a Secrets Manager in memory, for tests.
package secretstest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// A Vault holds secrets with their versions, by name. Its zero value is empty and ready to use.
// Goroutines may share it.
type Vault struct {
	Broken     error // if not nil, every write fails with it
	Unreadable error // if not nil, every read fails with it

	mu      sync.Mutex // guards the fields below
	secrets map[string][]version
	reads   int
}

type version struct {
	id     string
	value  *string // nil: announced but not written yet
	stages []string
}

// Announce starts a rotation: it makes the pending version of a secret, without a value.
func (v *Vault) Announce(name, id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secrets[name] = append(v.secrets[name], version{id: id, stages: []string{"AWSPENDING"}})
}

// Value returns a secret's current value, empty if it has none.
func (v *Vault) Value(name string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if found := v.find(name, "", "AWSCURRENT"); found != nil {
		return aws.ToString(found.value)
	}
	return ""
}

// Set writes a secret's current value.
func (v *Vault) Set(name, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.put(name, "", value, []string{"AWSCURRENT"})
}

// Reads returns how often values were read.
func (v *Vault) Reads() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reads
}

// find finds a version by its id, its stage, or both.
func (v *Vault) find(name, id, stage string) *version {
	for i, version := range v.secrets[name] {
		if (id == "" || version.id == id) && (stage == "" || slices.Contains(version.stages, stage)) {
			return &v.secrets[name][i]
		}
	}
	return nil
}

func (v *Vault) put(name, id, value string, stages []string) {
	if v.secrets == nil {
		v.secrets = map[string][]version{}
	}
	if id == "" {
		id = fmt.Sprintf("version-%d", len(v.secrets[name])+1)
	}
	if v.find(name, id, "") == nil {
		v.secrets[name] = append(v.secrets[name], version{id: id})
	}
	v.find(name, id, "").value = &value
	for _, stage := range stages {
		v.attach(name, id, stage)
	}
}

// attach moves a stage to a version. If the stage is AWSCURRENT, the version that had it becomes
// AWSPREVIOUS.
func (v *Vault) attach(name, id, stage string) {
	if from := v.find(name, "", stage); from != nil && from.id != id {
		from.stages = slices.DeleteFunc(from.stages, func(s string) bool { return s == stage })
		if stage == "AWSCURRENT" {
			v.attach(name, from.id, "AWSPREVIOUS")
		}
	}
	if to := v.find(name, id, ""); !slices.Contains(to.stages, stage) {
		to.stages = append(to.stages, stage)
	}
}

// GetSecretValue implements secrets.Client.
func (v *Vault) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput,
	_ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reads++
	if v.Unreadable != nil {
		return nil, v.Unreadable
	}
	stage := aws.ToString(in.VersionStage)
	if stage == "" && in.VersionId == nil {
		stage = "AWSCURRENT"
	}
	found := v.find(*in.SecretId, aws.ToString(in.VersionId), stage)
	if found == nil || found.value == nil {
		return nil, &types.ResourceNotFoundException{}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: found.value, VersionId: &found.id}, nil
}

// PutSecretValue implements secrets.Client.
func (v *Vault) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput,
	_ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.Broken != nil {
		return nil, v.Broken
	}
	stages := in.VersionStages
	if stages == nil {
		stages = []string{"AWSCURRENT"}
	}
	v.put(*in.SecretId, aws.ToString(in.ClientRequestToken), *in.SecretString, stages)
	return &secretsmanager.PutSecretValueOutput{}, nil
}

// DescribeSecret implements secrets.RotationClient.
func (v *Vault) DescribeSecret(_ context.Context, in *secretsmanager.DescribeSecretInput,
	_ ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := &secretsmanager.DescribeSecretOutput{VersionIdsToStages: map[string][]string{}}
	for _, version := range v.secrets[*in.SecretId] {
		if len(version.stages) > 0 {
			out.VersionIdsToStages[version.id] = slices.Clone(version.stages)
		}
	}
	return out, nil
}

// UpdateSecretVersionStage implements secrets.RotationClient. Like Secrets Manager, it fails if
// the caller does not name the version that has the stage now.
func (v *Vault) UpdateSecretVersionStage(_ context.Context, in *secretsmanager.UpdateSecretVersionStageInput,
	_ ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	from, to := v.find(*in.SecretId, "", *in.VersionStage), v.find(*in.SecretId, *in.MoveToVersionId, "")
	if to == nil || from != nil && from.id != aws.ToString(in.RemoveFromVersionId) {
		return nil, &types.InvalidParameterException{}
	}
	v.attach(*in.SecretId, to.id, *in.VersionStage)
	return &secretsmanager.UpdateSecretVersionStageOutput{}, nil
}
