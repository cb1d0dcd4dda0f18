package awsapi

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"restock/local/view/events"
)

// maxForwarded limits the body of a call that is passed on, in bytes. An SDK uploads larger objects
// to S3 in parts, of 5 MiB by default.
const maxForwarded = 128 << 20

// Forward says how the handler treats calls of a service that another server answers. The handler
// verifies and authorizes each call before it passes the call on.
type Forward struct {
	// Read returns the operation of a request, and all permissions that it requires. The error says
	// why it cannot; then the handler refuses the call, except that of a person.
	Read func(r *http.Request, body []byte) (operation string, permissions []Permission, err error)
	// Unchecked passes on also the calls that Read does not understand.
	Unchecked bool
	// Answer passes an authorized call on, and writes the other server's answer. failed says that
	// the answer is an error. err says why Answer has written nothing.
	Answer Answer
}

// An Answer is a function that passes on a call with its body. may returns an error if the caller
// lacks a permission that the other server's answer requires.
type Answer func(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte, operation string,
	may func(Permission) error) (failed bool, err error)

// routeForward reads a call of a service that another server answers.
func (h *Handler) routeForward(w http.ResponseWriter, c call, service Service) (call, error) {
	c.service, c.protocol = service, service.Protocol
	body, err := io.ReadAll(http.MaxBytesReader(w, c.request.Body, maxForwarded))
	if err != nil {
		return c, bodyError(err)
	}
	c.body = body
	c.operation, c.permissions, err = service.Forward.Read(c.request, body)
	if err == nil {
		return c, nil
	}
	c.operation = cmp.Or(c.operation, c.request.Method+" "+c.request.URL.Path)
	refusal := c.protocol.unknownOperation("The local run does not know which permissions the call " + c.operation +
		" of " + service.Name + " requires, and refuses it: " + err.Error())
	if known := (*Error)(nil); errors.As(err, &known) {
		refusal = known
	}
	c.unread = refusal
	return c, nil
}

// unreadOptions says what a developer can do about a call whose permissions the handler does not
// know.
const unreadOptions = "use a call whose permissions the run knows; or start the run with -unchecked: it passes such " +
	"calls on, and does not check their permissions"

// maxLogged limits the resources of a call in the log: DeleteObjects has up to a thousand.
const maxLogged = 10

// logForward logs a call that another server has answered.
func (h *Handler) logForward(ctx context.Context, c call, failed bool, start time.Time) {
	kind, text := events.AWSCallAnswered, "AWS call answered"
	if failed {
		kind, text = events.AWSCallFailed, "AWS call failed"
	}
	var resources []string
	for _, p := range c.permissions {
		if !slices.Contains(resources, p.Resource) && len(resources) < maxLogged {
			resources = append(resources, p.Resource)
		}
	}
	h.traced(ctx).DebugContext(ctx, text, kind.Attr(), "service", c.service.Name, "operation", c.operation,
		"resources", strings.Join(resources, " "), "caller", c.signature.accessKeyID, "duration", time.Since(start))
}
