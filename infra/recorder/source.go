package recorder

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
	return strings.TrimSuffix(file, "infra/recorder/source.go")
}()

// A call is a request of a program to the engine. All kinds of requests say where the program
// makes them.
type call interface {
	GetStackTrace() *pulumirpc.StackTrace
	GetSourcePosition() *pulumirpc.SourcePosition
}

// Source lists the files below a folder that make a request, each with a line: that of the request,
// then those of the callers, up to the program. It leaves out the program's own file if there are
// others, because that file only calls the other functions. root has a slash at its end.
func Source(root string, c call) string {
	frames := c.GetStackTrace().GetFrames()
	if len(frames) == 0 { // an SDK before 3.177, or one for another language
		frames = []*pulumirpc.StackFrame{{Pc: c.GetSourcePosition()}}
	}
	var files, places []string
	for _, frame := range frames {
		file, ours := below(root, frame.GetPc().GetUri())
		if !ours {
			continue
		}
		if file == "infra/recorder/record.go" && root == module {
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

// below returns the path of a file below a folder.
func below(root, uri string) (file string, ours bool) {
	escaped, ok := strings.CutPrefix(uri, "file:///")
	if !ok {
		return "", false
	}
	absolute, err := url.PathUnescape(escaped)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix("/"+absolute, "/"+strings.TrimPrefix(root, "/"))
}
