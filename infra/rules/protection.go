package rules

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"restock/infra/graph"
)

// checkProtection checks that a protected stage protects all its data: the database, in Pulumi and
// in RDS, the queues and the secrets.
// https://www.pulumi.com/docs/iac/concepts/options/protect/
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html
func checkProtection(i *inspection) {
	var data []*graph.Resource
	for _, kind := range []graph.Type{graph.Database, graph.Queue, graph.Secret} {
		data = append(data, i.OfType(kind)...)
	}
	isProtected := func(r *graph.Resource) bool { return r.Protect || r.Bool("deletionProtection") }
	protected := slices.IndexFunc(data, isProtected)
	if protected < 0 {
		return
	}
	for _, r := range data {
		switch {
		case !r.Protect:
			i.report(r, "give it pulumi.Protect(true)", "Pulumi may delete it, and %s %s is protected",
				data[protected].Type.Short(), data[protected].Name)
		case r.Type == graph.Database && !r.Bool("deletionProtection"):
			i.report(r, "set deletionProtection to true",
				"deletionProtection is false, and Pulumi protects the database: RDS "+
					"deletes it for everybody who may")
		}
	}
}

// checkStorage checks that RDS has what it needs to make a database: IOPS, and a password.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html
func checkStorage(i *inspection) {
	for _, r := range i.OfType(graph.Database) {
		kind := r.String("storageType")
		if strings.HasPrefix(kind, "io") && r.Number("iops") == 0 {
			i.report(r, "set storageType to gp3, or set iops",
				"storageType is %s, and iops is not set: RDS refuses it", kind)
		}
		if !r.Bool("manageMasterUserPassword") && r.String("password") == "" {
			i.report(r, "set manageMasterUserPassword to true",
				"manageMasterUserPassword is false: its master user has no password, and RDS refuses it")
		}
	}
}

// idleSeconds is the least time that a server keeps an idle connection. Functions replace a
// connection after some minutes: a server that drops it before makes their next query fail.
const idleSeconds = 300

// checkParameters checks parameters of a database that work only together with something else.
// https://mariadb.com/kb/en/setting-character-sets-and-collations/
// https://mariadb.com/kb/en/server-system-variables/#wait_timeout
func checkParameters(i *inspection) {
	for _, r := range i.OfType(graph.Database) {
		set, collation := i.parameter(r, "character_set_server"), i.parameter(r, "collation_server")
		if set != "utf8mb4" {
			i.report(r, "set character_set_server to utf8mb4"+i.inGroup(r), "%s, want utf8mb4: it cannot store all "+
				"of Unicode",
				i.parameterIs(r, "character_set_server"))
		} else if collation != "" && collation != "binary" && !strings.HasPrefix(collation, set+"_") {
			i.report(r, "set collation_server to one of utf8mb4, like utf8mb4_unicode_ci"+i.inGroup(r),
				"character_set_server is %s, and collation_server %s is of another character set: the server does "+
					"not start", set, collation)
		}
		if text := i.parameter(r, "wait_timeout"); text != "" {
			if seconds, err := strconv.Atoi(text); err != nil || seconds < idleSeconds {
				i.report(r, fmt.Sprintf("set wait_timeout to %d or more%s", idleSeconds, i.inGroup(r)),
					"wait_timeout is %s s, want %d or more: functions keep connections that long, and their next "+
						"query fails", text, idleSeconds)
			}
		}
	}
}

// checkProxies checks that the functions can log in through a proxy, and that it answers before a
// function gives up.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-creating.html
func checkProxies(i *inspection) {
	for _, r := range i.OfType(graph.Proxy) {
		if got := r.String("engineFamily"); got != "MYSQL" {
			i.report(r, "set engineFamily to MYSQL", "engineFamily is %q, want MYSQL, the family of MariaDB: RDS "+
				"refuses the database", got)
		}
		secrets := map[any]bool{}
		for _, auth := range r.Objects("auths") {
			if got := auth["iamAuth"]; got != "DISABLED" && got != nil {
				i.report(r, "set iamAuth to DISABLED", "iamAuth is %v: the proxy refuses the functions' passwords", got)
			}
			if secret := auth["secretArn"]; secrets[secret] {
				i.report(r, "give each database user its own secret",
					"two of its auths have the secret %v: the proxy does not know the other user", secret)
			}
			secrets[auth["secretArn"]] = true
		}
	}
	for _, r := range i.OfType(graph.ProxyDefaultTargetGroup) {
		wait, declared := r.Object("connectionPoolConfig")["connectionBorrowTimeout"].(float64)
		if !declared {
			wait = 120 // RDS's default
		}
		for f, d := range i.functions() {
			if timeout := number(f, "timeout", defaultFunctionTimeout); d.Connections > 0 && wait >= timeout {
				i.report(r, fmt.Sprintf("set connectionBorrowTimeout below %v", timeout),
					"connectionBorrowTimeout is %v s, and the timeout of function %s is %v s: "+
						"Lambda ends the function without an error", wait, f.Name, timeout)
			}
		}
	}
}

// leastAttempts is how long SQS must try to deliver a request that its client never repeats, in
// seconds: an outage of the database is shorter.
const leastAttempts = 60 * 60

// checkAttempts checks that a queue of requests outlasts an outage. After maxReceiveCount attempts,
// each as long as the visibility timeout, a request is a dead letter.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func checkAttempts(i *inspection) {
	for r, f := range i.functions() {
		queue := i.Named(graph.Queue, f.Queue)
		if !f.Buffered || queue == nil {
			continue
		}
		var redrive struct{ MaxReceiveCount float64 }
		if json.Unmarshal([]byte(queue.String("redrivePolicy")), &redrive) != nil {
			continue // the rule dead-letter-queue reports it
		}
		visibility := number(queue, "visibilityTimeoutSeconds", defaultVisibilityTimeout)
		if seconds := redrive.MaxReceiveCount * visibility; seconds < leastAttempts {
			i.report(queue, fmt.Sprintf("set maxReceiveCount in its redrivePolicy to %.0f or more",
				math.Ceil(leastAttempts/visibility)),
				"%v attempts of %v s end after %v s, want %d s or more: function %s "+
					"books requests that nobody repeats, and an outage makes them dead letters",
				redrive.MaxReceiveCount, visibility, seconds, leastAttempts, r.Name)
		}
	}
}
