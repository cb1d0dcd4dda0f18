package secretsmanager

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"restock/local/aws/awsapi"
	"restock/test/fuzzing"
)

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzRotationRules checks that accepted rules open windows that end and that follow each other.
// Every other rule must be blamed on the caller.
func FuzzRotationRules(f *testing.F) {
	now := time.Now().Unix()
	for _, seed := range []struct {
		days                 int
		expression, duration string
	}{
		{30, "", ""}, {1, "", "24h"}, {0, "rate(4 hours)", "4h"}, {0, "rate(4 hours)", "5h"}, {0, "rate(999 days)", ""},
		{0, "rate(99999 hours)", "1h"},
		{0, "cron(0 8 1,15 * ? *)", "3h"}, {0, "cron(0 */6 * * ? *)", "6h"}, {0, "cron(0 0 ? 2-4 2 *)", ""},
		{0, "cron(0 8/9223372036854775807 * * ? *)", ""},
		{0, "cron(0 +8 * * ? *)", ""}, {0, "cron(0 8,,9 * * ? *)", ""}, {0, "cron(0 -1 * * ? *)", ""},
		{0, "cron(0 0-23/5 * * ? *)", "1h"}, {0, "cron(0 23 31 12 ? *)", "2h"},
		{-1, "", ""}, {1, "rate(1 day)", "0h"}, {0, "rate(1 day)\n", ""},
	} {
		f.Add(seed.days, seed.expression, seed.duration, now)
	}
	f.Fuzz(func(t *testing.T, days int, expression, duration string, seconds int64) {
		rules := RotationRules{AutomaticallyAfterDays: days, ScheduleExpression: expression, Duration: duration}
		s, err := rules.schedule()
		if err != nil {
			if code(err) != "InvalidParameterException" {
				t.Errorf("%+v: got %v, want it to be the caller's mistake", rules, err)
			}
			return
		}
		if s == nil {
			if days != 0 || expression != "" {
				t.Errorf("%+v: taken, and there is no schedule", rules)
			}
			return
		}
		// A hundred years from now on. A schedule belongs to a secret that exists now.
		after := time.Unix(now+int64(math.Abs(float64(seconds%(100*365*24*60*60)))), 0)
		var closed time.Time
		for range 3 {
			opens, closes := s.window(after)
			if opens.IsZero() {
				return // no window within a year
			}
			if !opens.After(after) || !closes.After(opens) || closes.Sub(opens) > 24*time.Hour || opens.Before(closed) {
				t.Fatalf("%+v: after %v, a window from %v to %v, and the one before it until %v",
					rules, after, opens, closes, closed)
			}
			after, closed = opens, closes
		}
	})
}

// FuzzAPI checks two properties: a call gets a JSON answer, which blames the caller for an invalid
// call; no log record and no error contains a secret.
func FuzzAPI(f *testing.F) {
	for _, seed := range [][2]string{
		{"CreateSecret", `{"Name":"a/b","SecretString":"hunter2hunter2","ClientRequestToken":` +
			`"11111111111111111111111111111111","Tags":[{"Key":"a","Value":"b"}]}`},
		{"CreateSecret", `{"Name":"a b","SecretString":"x","SecretBinary":"AAE="}`},
		{"GetSecretValue", `{"SecretId":"dev/database","VersionStage":"AWSCURRENT"}`},
		{"PutSecretValue", `{"SecretId":"dev/database","SecretString":"hunter2hunter2","VersionStages":["A","A"]}`},
		{"UpdateSecretVersionStage",
			`{"SecretId":"dev/database","VersionStage":"AWSCURRENT","MoveToVersionId":"x","RemoveFromVersionId":"y"}`},
		{"DeleteSecret", `{"SecretId":"dev/database","RecoveryWindowInDays":7,"ForceDeleteWithoutRecovery":true}`},
		{"ListSecrets", `{"Filters":[{"Key":"all","Values":["!a b"]}],"MaxResults":1,"SortOrder":"asc"}`},
		{"ListSecretVersionIds", `{"SecretId":"dev/database","MaxResults":100,"NextToken":"1"}`},
		{"GetRandomPassword", `{"PasswordLength":8,"ExcludeCharacters":"\"@/\\","RequireEachIncludedType":true}`},
		{"RotateSecret", `{"SecretId":"dev/database","RotationRules":{"ScheduleExpression":"cron(0 8/9 * * ? *)"},` +
			`"RotateImmediately":false}`},
		{"DescribeSecret", `{"SecretId":null}`}, {"GetSecretValue", `"hunter2hunter2"`},
		{"PutSecretValue", `{"SecretId":"dev/database","SecretString":hunter2hunter2}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		const secret = "correct horse battery staple"
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s := New(Config{Region: "ap-northeast-2", AccountID: "000000000000"}, logger)
		defer s.Close()
		if err := s.Create(SecretConfig{Name: "dev/database", ARN: databaseARN, Value: secret}); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "secretsmanager."+operation)
		w := httptest.NewRecorder()
		awsapi.NewHandler(logger, s.API()).ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError || strings.Contains(log.String(), "failed inside") {
			t.Errorf("%s %q: got %d %s, and the log\n%s", operation, body, w.Code, w.Body, &log)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q: the answer is %q", operation, body, w.Body)
		}
		for _, hidden := range []string{secret, "hunter2hunter2"} {
			if strings.Contains(log.String(), hidden) ||
				operation != "GetSecretValue" && strings.Contains(w.Body.String(), hidden) && w.Code >= 400 {
				t.Errorf("%s %q: the secret is shown: %s\n%s", operation, body, w.Body, &log)
			}
		}
		for line := range strings.Lines(log.String()) {
			if !strings.HasPrefix(line, "time=") {
				t.Errorf("%s %q: the log has the line %q", operation, body, line)
			}
		}
	})
}
