package rules

import (
	"strings"

	"restock/infra/graph"
	"restock/infra/policy"
	"restock/infra/policy/evaluation"
)

// checkBackups checks that a protected database has automated backups, and that its data survives
// its deletion. The AWS provider takes these settings from its state when it deletes the database,
// after the protection was switched off. RDS refuses to delete a database whose last snapshot has
// the name of another snapshot. So the name must contain a name that Pulumi makes, for example that
// of the subnet group: a fixed name fails at the second deletion.
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html
func checkBackups(i *inspection) {
	for _, r := range i.OfType(graph.Database) {
		name, unique := r.String("finalSnapshotIdentifier"), r.String("dbSubnetGroupName")
		switch {
		case !r.Protect:
		case r.Number("backupRetentionPeriod") == 0:
			i.report(r, "set backupRetentionPeriod to 1 or more",
				"backupRetentionPeriod is 0, and the database is protected: RDS makes no backups")
		case r.Bool("skipFinalSnapshot"):
			i.report(r, "set skipFinalSnapshot to false", "skipFinalSnapshot is true, and the database is "+
				"protected: its deletion loses the data")
		case r.Outputs["deleteAutomatedBackups"] != false:
			i.report(r, "set deleteAutomatedBackups to false",
				"deleteAutomatedBackups is not false, and the database is protected: RDS deletes the backups with it")
		case !strings.Contains(name, unique):
			i.report(r, "put the output Name of the SubnetGroup into finalSnapshotIdentifier",
				"finalSnapshotIdentifier is %q, want a name that contains %q: the next database has the same name for "+
					"its snapshot, and RDS refuses to delete it", name, unique)
		}
	}
}

// checkProxyUsers checks that no secret of a proxy changes its user. A proxy knows the current
// version of each of its secrets only. If a rotation changes the user, the proxy refuses the
// previous user at once, and closes its connections: sales fail.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-secrets-arns.html
// https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas/issues/108
func checkProxyUsers(i *inspection) {
	for _, r := range i.OfType(graph.Proxy) {
		for _, auth := range r.Objects("auths") {
			arn, _ := auth["secretArn"].(string)
			if i.Find(graph.SecretRotation, "secretId", arn) != nil {
				i.report(r, "give the proxy a secret for each database user, and let the rotation write both",
					"a rotation changes the user in its secret %s: the proxy refuses the previous user at once", arn)
			}
		}
	}
}

// checkProxySecrets checks that a proxy has secrets, and that its role may read them. RDS makes the
// proxy anyway, and the proxy refuses every connection.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html
func checkProxySecrets(i *inspection) {
	const service = "rds.amazonaws.com"
	for _, r := range i.OfType(graph.Proxy) {
		role := r.String("roleArn")
		assume := evaluation.ByService(service, r.String("arn"), "sts:AssumeRole", role)
		if !i.policies.Trust(role).Evaluate(assume).Allowed {
			i.report(r, "set roleArn to a role of the stack whose trust policy names "+service,
				"its role %q does not let %s assume it", role, service)
		}
		if len(r.Objects("auths")) == 0 {
			i.report(r, "add a secret of each database user to auths", "it has no auths: it refuses every connection")
		}
		for _, auth := range r.Objects("auths") {
			arn, _ := auth["secretArn"].(string)
			if i.Find(graph.SecretRotation, "secretId", arn) != nil {
				continue // the rule proxy-users reports it: the proxy must not have this secret
			}
			for _, action := range policy.Actions("secret", "read") {
				if !i.policies.Of(role, arn).Evaluate(evaluation.ByRole(role, "", action, arn)).Allowed {
					i.report(r, "let the role's policy allow it",
						"its role does not allow %s on %s, a secret of the proxy: the proxy refuses the secret's user",
						action, arn)
				}
			}
		}
	}
}

// checkModifications checks that a change of the database takes effect in its deployment. Functions
// depend on the database, so their concurrency grows after the update of the database returns. If
// RDS waits for the maintenance window, the update returns at once: then more functions connect
// than the old instance class has memory for.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
func checkModifications(i *inspection) {
	for _, r := range i.OfType(graph.Database) {
		if !r.Bool("applyImmediately") {
			i.report(r, "set applyImmediately to true",
				"applyImmediately is false: RDS changes its instance class in the maintenance window, and more "+
					"functions connect before")
		}
	}
}
