package stack

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	databaseName = "restock"
	// masterUser is made by RDS. Only setup works as it.
	masterUser = "restock_admin"
	// mariadbVersion is the engine that the tests run on. RDS chooses the patch release.
	mariadbVersion = "10.11"
)

// A database is the shop's, on RDS.
type database struct {
	instance *rds.Instance
	// adminSecret is the ARN of the master user's secret: RDS makes, keeps and rotates it.
	adminSecret pulumi.StringOutput
	// host is where the functions connect: the instance, or the proxy before it.
	host pulumi.StringOutput
}

func newDatabase(ctx *pulumi.Context, s Settings, n *network) (*database, error) {
	subnets, err := rds.NewSubnetGroup(ctx, "database", &rds.SubnetGroupArgs{SubnetIds: n.subnetIDs})
	if err != nil {
		return nil, fmt.Errorf("creating the database's subnet group: %w", err)
	}
	parameters, err := rds.NewParameterGroup(ctx, "database", &rds.ParameterGroupArgs{
		Family: pulumi.String("mariadb" + mariadbVersion),
		Parameters: rds.ParameterGroupParameterArray{
			parameter("character_set_server", "utf8mb4"),
			parameter("collation_server", "utf8mb4_unicode_ci"),
			parameter("max_connections", fmt.Sprint(s.Database.MaxConnections)),
			parameter("require_secure_transport", "1"),
			// Lambda ends an instance without a word to its connections: they are to be forgotten soon after the age at
			// which a living instance would have replaced them.
			parameter("wait_timeout", "360"),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("creating the database's parameters: %w", err)
	}
	args := &rds.InstanceArgs{
		Engine:                   pulumi.String("mariadb"),
		EngineVersion:            pulumi.String(mariadbVersion),
		InstanceClass:            pulumi.String(s.Database.InstanceClass),
		AllocatedStorage:         pulumi.Int(s.Database.StorageGiB),
		StorageType:              pulumi.String("gp3"),
		StorageEncrypted:         pulumi.Bool(true),
		DbName:                   pulumi.String(databaseName),
		Username:                 pulumi.String(masterUser),
		ManageMasterUserPassword: pulumi.Bool(true),
		DbSubnetGroupName:        subnets.Name,
		VpcSecurityGroupIds:      pulumi.StringArray{n.database.ID()},
		PubliclyAccessible:       pulumi.Bool(false),
		CaCertIdentifier:         pulumi.String("rds-ca-rsa2048-g1"),
		ParameterGroupName:       parameters.Name,
		MultiAz:                  pulumi.Bool(s.Database.MultiAZ),
		BackupRetentionPeriod:    pulumi.Int(s.Database.BackupRetentionDays),
		CopyTagsToSnapshot:       pulumi.Bool(true),
		AutoMinorVersionUpgrade:  pulumi.Bool(true),
		ApplyImmediately:         pulumi.Bool(!s.Protect), // else in the maintenance window
		DeletionProtection:       pulumi.Bool(s.Protect),
		SkipFinalSnapshot:        pulumi.Bool(!s.Protect),
	}
	if s.Database.MaxStorageGiB > 0 {
		args.MaxAllocatedStorage = pulumi.Int(s.Database.MaxStorageGiB)
	}
	if s.Protect {
		// Its absence would be noticed only when the database is deleted.
		args.FinalSnapshotIdentifier = pulumi.Sprintf("%s-%s-final", ctx.Project(), ctx.Stack())
	}
	instance, err := rds.NewInstance(ctx, "database", args, pulumi.Protect(s.Protect))
	if err != nil {
		return nil, fmt.Errorf("creating the database: %w", err)
	}
	return &database{instance, instance.MasterUserSecrets.Index(pulumi.Int(0)).SecretArn().Elem(), instance.Address}, nil
}

func parameter(name, value string) rds.ParameterGroupParameterArgs {
	return rds.ParameterGroupParameterArgs{Name: pulumi.String(name), Value: pulumi.String(value), ApplyMethod: pulumi.String("immediate")}
}
