package lambda

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MaxEnvironment limits a function's declared environment, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxEnvironment = 4 << 10

// reserved are the variables that a function cannot declare.
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

// variableName matches the allowed names of variables.
// https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html
var variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

const libraryPath = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"

// DefaultXRayDaemon is the default of Config.XRayDaemon. It is on loopback, so that nothing leaves
// this machine. The SDKs send datagrams, and do not wait for an answer.
const DefaultXRayDaemon = "127.0.0.1:2000"

func validateEnvironment(declared map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if slices.Contains(reserved, name) {
			return fmt.Errorf("its environment sets %s, which is reserved to Lambda", name)
		}
		if !variableName.MatchString(name) {
			return fmt.Errorf("its environment has a variable named %q; a name is a letter, then letters, digits and "+
				"underscores, at least two characters", name)
		}
	}
	// The documentation does not define the size. Lambda's error message shows it: the length of
	// the variables as a JSON object. See
	// https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594
	measured, err := json.Marshal(declared)
	if err != nil {
		return fmt.Errorf("measuring its environment: %w", err)
	}
	if len(declared) > 0 && len(measured) > MaxEnvironment {
		return invalidParameter("Lambda was unable to configure your environment variables because the environment "+
			"variables you have provided exceeded the 4KB limit. String measured: %s", measured).
			Explained("its environment takes %d bytes as JSON; at most %d are allowed", len(measured), MaxEnvironment)
	}
	return nil
}

// environment returns the whole environment of an instance: the function's declared variables and
// Lambda's own. It has no variable of this process. It lacks AWS_EXECUTION_ENV and
// _X_AMZN_TRACE_ID, because Lambda does not set them for the provided runtimes. There, the runtime
// sets the latter from the header Lambda-Runtime-Trace-Id.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func (inst *instance) environment(logStream string) []string {
	d := inst.fn
	xrayHost, xrayPort, _ := strings.Cut(d.host.config.XRayDaemon, ":")
	env := map[string]string{
		// Not reserved: a function may declare its own. The values are those of a function with
		// provided.al2023, recorded on 2026-01-13 in test_introspection_invoke:
		// https://github.com/localstack/localstack/blob/main/tests/aws/services/lambda_/test_lambda_common.snapshot.json
		// The documentation's PATH has no /var/lang/bin.
		"LANG":                     "en_US.UTF-8",
		"LD_LIBRARY_PATH":          libraryPath,
		"PATH":                     "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":                       ":UTC",
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":  d.host.config.XRayDaemon,
		"_AWS_XRAY_DAEMON_ADDRESS": xrayHost,
		"_AWS_XRAY_DAEMON_PORT":    xrayPort,
		// Lambda does not set it. It replaces the /tmp of an instance; see the package's
		// documentation.
		"TMPDIR": inst.tmp,
	}
	maps.Copy(env, d.Environment)
	maps.Copy(env, map[string]string{
		"_HANDLER":                        "bootstrap",
		"AWS_REGION":                      d.host.config.Region,
		"AWS_DEFAULT_REGION":              d.host.config.Region,
		"AWS_ACCESS_KEY_ID":               inst.credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           inst.credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":               inst.credentials.SessionToken,
		"AWS_LAMBDA_FUNCTION_NAME":        d.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(d.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       cmp.Or(d.LogGroup, "/aws/lambda/"+d.Name),
		"AWS_LAMBDA_LOG_STREAM_NAME":      logStream,
		"AWS_LAMBDA_RUNTIME_API":          d.host.addr + "/" + inst.id,
		"LAMBDA_TASK_ROOT":                filepath.Dir(d.Executable),
		"LAMBDA_RUNTIME_DIR":              "/var/runtime", // a custom runtime has no files there
	})
	if d.LogFormat == LogFormatJSON { // Lambda sets neither variable for text
		env["AWS_LAMBDA_LOG_FORMAT"] = LogFormatJSON
		// Log levels exist only with JSON; the default is INFO.
		// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
		env["AWS_LAMBDA_LOG_LEVEL"] = cmp.Or(d.LogLevel, "INFO")
	}
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
