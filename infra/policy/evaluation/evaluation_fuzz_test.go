package evaluation

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"restock/test/fuzzing"
)

// statements are seeds: statements in the forms that policies may have.
var statements = []string{
	may("Allow", ""),
	may("Deny", ""),
	`{"Effect":"Allow","Action":["sqs:Send*","SQS:*"],"Resource":"*"}`,
	`{"Effect":"Deny","NotAction":"sqs:ReceiveMessage","NotResource":"` + topic + `"}`,
	`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":false}}}`,
	`{"Effect":"Deny","Action":"*","Resource":["*","${aws:username}"],` +
		`"Condition":{"StringNotEqualsIfExists":{"aws:SourceVpc":["a",1,true]},"Null":{"aws:SourceArn":"true"}}}`,
	`{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"` + queue +
		`","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}}`,
	`{"effect":"Deny","Effect":"Allow","Action":"*","action":"x","Resource":"*"}`,
	`null`, `[]`, `{}`, `[null]`,
}

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzEvaluate checks that a Deny about the request decides, that adding a Deny allows nothing,
// that a boundary of Denies allows nothing, and that the order of documents and the case of actions
// do not matter.
func FuzzEvaluate(f *testing.F) {
	for i, s := range statements {
		f.Add(s, statements[(i+1)%len(statements)], "sqs:SendMessage", queue)
		f.Add(may("Allow", ""), s, "SQS:sendmessage", queue)
	}
	f.Add(may("Allow", ""), may("Deny", ""), "sqs:ReceiveMessage", topic)
	f.Fuzz(func(t *testing.T, first, second, action, resource string) {
		one, err := Parse(Identity, `{"Statement":`+first+`}`)
		if err != nil {
			return
		}
		other, err := Parse(Identity, `{"Statement":`+second+`}`)
		if err != nil {
			return
		}
		q := ByRole(role, session, action, resource)
		evaluate := func(documents ...Document) Decision { return Policies{Identity: documents}.Evaluate(q) }
		before, both, swapped := evaluate(one), evaluate(one, other), evaluate(other, one)

		if both.Allowed != swapped.Allowed {
			t.Errorf("%s and %s: allowed %v, and in the other order %v", first, second, both.Allowed, swapped.Allowed)
		}
		if both.Allowed && (both.Statement == nil || both.Statement.Effect != "Allow") {
			t.Errorf("%s and %s allow it by %+v", first, second, both.Statement)
		}
		if both.Allowed && !before.Allowed && !evaluate(other).Allowed {
			t.Errorf("%s and %s allow together what neither does", first, second)
		}
		denies := false
		for _, d := range []Document{one, other} {
			for _, s := range d.Statements {
				holds, _ := s.holds(q)
				denies = denies || s.Effect == "Deny" && s.isAbout(q) && holds
			}
		}
		if denies && both.Allowed {
			t.Errorf("%s and %s: one denies the request, but it is allowed", first, second)
		}

		// The same statements as Denies.
		for i := range other.Statements {
			other.Statements[i].Effect = "Deny"
		}
		denied := evaluate(one, other)
		if denied.Allowed && !before.Allowed {
			t.Errorf("%s, and %s as a Deny: allowed, and without the Deny it is not", first, second)
		}
		if boundary := (Policies{Identity: []Document{one}, Boundary: &other}).Evaluate(q); boundary.Allowed {
			t.Errorf("%s allows it within a boundary that allows nothing, %s as a Deny", first, second)
		}
		upper := Policies{Identity: []Document{one}}.Evaluate(ByRole(role, session, strings.ToUpper(action), resource))
		if isASCII(first+action) && upper.Allowed != before.Allowed {
			t.Errorf("%s: %s is allowed %v, and in capitals %v", first, action, before.Allowed, upper.Allowed)
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// FuzzParse checks that every policy that Parse accepts can be evaluated, and that only a statement
// allows a request.
func FuzzParse(f *testing.F) {
	f.Add(`{"Statement":[` + may("Allow",
		`,"Principal":{"AWS":"*"},"Condition":{"Bool":{"aws:SecureTransport":false}}`) + `]}`)
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":"*","NotAction":[],"NotResource":1}}`)
	f.Add(`{"Version":"2012-10-17","Id":"x","Statement":` + may("Allow",
		`,"Principal":{"Service":["sns.amazonaws.com"],"AWS":null}`) + `}`)
	f.Add(`{"Statement":` + strings.Repeat("[", 2000))
	f.Add(`{"Statement":[]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(Resource, text)
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("Parse accepts %q, which is not JSON", text)
		}
		for _, q := range []Request{
			ByService("sns.amazonaws.com", topic, "sqs:SendMessage", queue),
			ByRole(role, session, "sqs:SendMessage", queue),
		} {
			got := Policies{Resource: []Document{d}}.Evaluate(q)
			if got.Allowed && (got.Statement == nil || got.Statement.Effect != "Allow") {
				t.Errorf("%s allows it by %+v", text, got.Statement)
			}
		}
		for _, s := range d.Statements {
			if s.Principal == nil && s.NotPrincipal == nil || s.Effect != "Allow" && s.Effect != "Deny" {
				t.Errorf("Parse(%s) returned the statement %+v", text, s)
			}
		}
	})
}

// FuzzLike compares a pattern with the same pattern as a regular expression.
func FuzzLike(f *testing.F) {
	f.Add("arn:aws:sqs:*:*:stock_?ueue", queue)
	f.Add("a*b*c", "aXbXc")
	f.Add("**?*", "\n도")
	f.Add("*a*a*a*b", strings.Repeat("a", 50))
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) || len(pattern) > 1000 {
			return // a policy is JSON, and the length of regular expressions is limited
		}
		wildcards := strings.NewReplacer(`\*`, `.*`, `\?`, `.`)
		expression := regexp.MustCompile(`(?s)^` + wildcards.Replace(regexp.QuoteMeta(pattern)) + `$`)
		if got, want := like(pattern, text), expression.MatchString(text); got != want {
			t.Errorf("like(%q, %q) = %v, want %v", pattern, text, got, want)
		}
	})
}
