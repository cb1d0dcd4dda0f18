package graph

import (
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// module is the prefix of the paths of the module's files in a stack trace, from the compiler.
var module = func() string {
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(file, "infra/graph/source.go")
}()

// source lists the module's files that declare a resource, each with a line: that of the call that
// declares it, then those of the callers, up to the program. It leaves out the program's own file
// if there are others, because that file only calls the other functions.
func source(trace *pulumirpc.StackTrace) string {
	var files, places []string
	for _, frame := range trace.GetFrames() {
		file, ours := moduleFile(frame.GetPc().GetUri())
		if !ours {
			continue
		}
		if file == "infra/graph/record.go" {
			break // the callers of Record are not part of the program
		}
		if !slices.Contains(files, file) {
			files = append(files, file)
			places = append(places, fmt.Sprintf("%s:%d", file, frame.GetPc().GetLine()))
		}
	}
	if len(places) > 1 {
		places = places[:len(places)-1]
	}
	return strings.Join(places, ", ")
}

// moduleFile returns the path of a file below the module's root.
func moduleFile(uri string) (file string, ours bool) {
	escaped, ok := strings.CutPrefix(uri, "file:///")
	if !ok {
		return "", false
	}
	absolute, err := url.PathUnescape(escaped)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix("/"+absolute, "/"+strings.TrimPrefix(module, "/"))
}
