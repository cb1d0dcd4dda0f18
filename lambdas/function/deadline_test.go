package function

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

func TestAFunctionStopsBeforeItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // the function's timeout
		defer cancel()
		begin := time.Now() // of the test's own clock
		gaveUp := errors.New("the database does not answer")
		handler := inTime{lambda.NewHandler(func(ctx context.Context) error {
			<-ctx.Done()
			return gaveUp
		})}
		if _, err := handler.Invoke(ctx, []byte("{}")); !errors.Is(err, gaveUp) || ctx.Err() != nil {
			t.Errorf("got %v, and the deadline: %v; want %v before the deadline", err, ctx.Err(), gaveUp)
		}
		if took := time.Since(begin); took != 9500*time.Millisecond {
			t.Errorf("the function stopped after %v, want half a second before its deadline", took)
		}
	})
}
