package lambda

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// reserved are the variables that a function can't declare.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID",
	"AWS_DEFAULT_REGION", "AWS_REGION",
	"AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE",
	"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API",
	"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

func validateEnvironment(declared map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if slices.Contains(reserved, name) {
			return fmt.Errorf("its environment sets %s, which is reserved to Lambda", name)
		}
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return fmt.Errorf("its environment has a variable named %q", name)
		}
	}
	return nil
}

// environment returns the whole environment of an instance: what the function
// declares and what Lambda sets, nothing of this process's own. AWS_EXECUTION_ENV
// and _X_AMZN_TRACE_ID are missing because Lambda does not define them for the provided runtimes.
func (d *Deployed) environment(runtimeAPI, logStream string) []string {
	env := map[string]string{
		// Not reserved: a function may declare its own.
		"LANG": "en_US.UTF-8",
		"PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":   ":UTC",
	}
	maps.Copy(env, d.Environment)
	maps.Copy(env, map[string]string{
		"_HANDLER":                        "bootstrap",
		"AWS_REGION":                      d.host.config.Region,
		"AWS_DEFAULT_REGION":              d.host.config.Region,
		"AWS_ACCESS_KEY_ID":               d.Credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           d.Credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":               d.Credentials.SessionToken,
		"AWS_LAMBDA_FUNCTION_NAME":        d.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(d.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_FORMAT":           cmp.Or(d.LogFormat, "Text"),
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + d.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      logStream,
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"LAMBDA_TASK_ROOT":                filepath.Dir(d.Executable),
	})
	if url := d.host.config.EndpointURL; url != "" {
		env["AWS_ENDPOINT_URL"] = url
	}
	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}
