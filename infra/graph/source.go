package graph

import (
	"net/url"
	"runtime"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// module is what the paths of the module's files begin with in a stack trace, as the compiler wrote them down.
var module = func() string {
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(file, "infra/graph/source.go")
}()

// source says which files of the module declare a resource, from the call that declares it outwards: the function that calls, and those that
// called it, up to the program itself. The program's own file is left out where others are there: it is a table of contents.
func source(trace *pulumirpc.StackTrace) string {
	var files []string
	for _, frame := range trace.GetFrames() {
		file, ours := moduleFile(frame.GetPc().GetUri())
		if !ours {
			continue
		}
		if file == "infra/graph/record.go" {
			break // beyond it is who records the program
		}
		if !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	if len(files) > 1 {
		files = files[:len(files)-1]
	}
	return strings.Join(files, ", ")
}

// moduleFile is the path of a file below the module's root.
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
