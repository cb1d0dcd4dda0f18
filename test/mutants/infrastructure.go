package main

// The tests of rules that break one rule each.
const (
	rulesFolder = "infra/rules"
	examples    = "TestExamplesBreakExactlyTheirRule/"
)

// infrastructure are mistakes in the rules about the Pulumi program, and in the evaluation of
// policies. Mistakes in the program itself are in test/mistakes.
var infrastructure = []mutant{
	{name: "rule-not-registered", promise: failsFirst, file: "infra/rules/rules.go",
		correct: "		house(\"encrypted\", checkEncrypted),\n", wrong: "",
		effect: "A queue in the clear is deployed.", test: examples + "encrypted"},
	{name: "visibility-rule-without-window", promise: failsFirst, file: "infra/rules/queues.go",
		correct: "visibilityTimeouts*timeout + window; got < want {", wrong: "visibilityTimeouts*timeout; got < want {",
		effect: "Two instances handle a message at once.", test: examples + "visibility-timeout"},
	{name: "dead-letters-without-alarm", promise: failsFirst, file: "infra/rules/queues.go",
		correct: "if !i.hasAlarm(deadLetters) {", wrong: "if !i.hasAlarm(deadLetters) && queue == nil {",
		effect: "Nobody learns of dead letters.", test: examples + "dead-letter-queue"},
	{name: "last-connection-taken", promise: failsFirst, file: "infra/rules/connections.go",
		correct: "if sum >= limit {", wrong: "if sum > limit {",
		effect: "The database refuses the person who wants to find out why.", test: examples + "connections"},
	{name: "public-database-accepted", promise: secrecy, file: "infra/rules/public.go",
		correct: `if r.Bool("publiclyAccessible") {`,
		wrong:   `if r.Bool("publiclyAccessible") && !r.Bool("storageEncrypted") {`,
		effect:  "Anybody tries passwords.", test: examples + "private-database"},
	{name: "any-condition-names-a-source", promise: secrecy, file: "infra/rules/public.go",
		correct: `who != "" && !namesItsSource(s) {`, wrong: `who != "" && len(s.Condition) == 0 {`,
		effect: "A topic of another account sends to the stack's queue.", test: examples + "narrow-resource-policy"},
	{name: "transport-of-queues-unchecked", promise: secrecy, file: "infra/rules/encryption.go",
		correct: "d.Allowed || d.Statement == nil {", wrong: "d.Allowed {",
		effect: "A secret is read over a connection without TLS.", test: examples + "encrypted-transport"},

	{name: "deny-of-a-resource-ignored", promise: failsFirst, file: "infra/policy/evaluation/evaluate.go",
		correct: `g.decisive(q, "Deny", Caller.is); s != nil {`,
		wrong:   `g.decisive(q, "Deny", Caller.is); s != nil && g.kind != Resource {`,
		effect:  "A call passes in the local run that AWS denies.", test: "TestServiceNeedsTheResourcePolicy"},
	{name: "boundary-ignored", promise: failsFirst, file: "infra/policy/evaluation/evaluate.go",
		correct: `if s, _ := boundary.decisive(q, "Allow", nil); s == nil {`,
		wrong:   `if s, _ := boundary.decisive(q, "Allow", nil); s == nil && len(p.Identity) == 0 {`,
		effect:  "A call passes in the local run that the boundary denies.",
		test:    "TestRoleNeedsAnIdentityOrAResourcePolicy"},
	{name: "unsupported-condition-holds", promise: failsFirst, file: "infra/policy/evaluation/condition.go",
		correct: `if s.Effect == "Allow" && len(notUnderstood) > 0 {`,
		wrong:   `if s.Effect == "Allow" && s.NotPrincipal != nil {`,
		effect:  "A statement allows what nobody has evaluated.", test: "TestUnsupportedPartsAllowNothing"},
	{name: "missing-key-fails-negated-conditions", promise: failsFirst, file: "infra/policy/evaluation/condition.go",
		correct: `return !forAny && (ifExists || forAll || o.negated), ""`,
		wrong:   `return !forAny && (ifExists || forAll), ""`,
		effect:  "A call fails in the local run that AWS allows.", test: "TestConditions"},
	{name: "question-mark-is-a-letter", promise: failsFirst, file: "infra/policy/evaluation/match.go",
		correct: "pattern[i] == '?'", wrong: "pattern[i] == '?' && text[j] == '?'",
		effect: "A call fails in the local run that AWS allows.", test: "TestPatterns"},
	{name: "star-in-an-arn-passes-colons", promise: failsFirst, file: "infra/policy/evaluation/match.go",
		correct: "	if len(p) != parts || len(a) != parts {\n		return false\n",
		wrong:   "	if len(p) != parts || len(a) != parts {\n		return like(pattern, arn)\n",
		effect:  "A condition holds in the local run that fails on AWS.", test: "TestConditions"},
}
