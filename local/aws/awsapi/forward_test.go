package awsapi

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"restock/local/aws/traceid"
)

func TestTheLogOfAForwardedCallHasItsFirstResourcesAndItsSpan(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var needs []Permission
	handler := NewHandler(log, Service{Name: "s3", Protocol: RESTXML(), Forward: &Forward{
		Read: func(*http.Request, []byte) (string, []Permission, error) { return "DeleteObjects", needs, nil },
		Answer: func(context.Context, http.ResponseWriter, *http.Request, []byte, string,
			func(Permission) error) (bool, error) {
			return false, nil
		},
	}})
	for i := range 2 * maxLogged {
		resource := fmt.Sprintf("arn:aws:s3:::files/%02d", i)
		for _, action := range []string{"s3:DeleteObject", "s3:PutObjectAcl"} {
			needs = append(needs, Permission{Action: action, Resource: resource})
		}
	}
	caller := traceid.New(time.Now())
	r := httptest.NewRequest("POST", "/files?delete", nil)
	r.Header.Set("X-Amzn-Trace-Id", caller.Header())
	r.Header.Set("Authorization", strings.Replace(authorization, "/dynamodb/", "/s3/", 1))
	handler.ServeHTTP(httptest.NewRecorder(), r)
	const first = `operation=DeleteObjects resources="arn:aws:s3:::files/00 arn:aws:s3:::files/01 `
	if n := strings.Count(out.String(), "arn:"); n != maxLogged || !strings.Contains(out.String(), first) {
		t.Errorf("got %d resources, want the first %d, each once:\n%s", n, maxLogged, &out)
	}
	span := regexp.MustCompile(" span=" + caller.Root + "/[0-9a-f]{16}/" + caller.ID)
	if !span.MatchString(out.String()) {
		t.Errorf("got no %s, want the span of the call:\n%s", span, &out)
	}
}
