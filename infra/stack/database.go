package stack

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	databaseName = "restock"
	// masterUser is the user that RDS makes. Only the function setup connects as this user.
	masterUser = "restock_admin"
	// mariadbVersion is the engine that the tests run on. RDS chooses the patch release. Another
	// version upgrades the databases of all stages: see docs/operations.md, "Upgrade MariaDB".
	mariadbVersion = "10.11"
)

// A database is the shop's MariaDB on RDS.
type database struct {
	pulumi.ResourceState
	instance *rds.Instance
	// adminSecret is the ARN of the master user's secret. RDS makes and rotates the secret.
	adminSecret pulumi.StringOutput
}

type databaseArgs struct {
	settings  DatabaseSettings
	protect   bool
	subnetIDs pulumi.StringArray
	group     *ec2.SecurityGroup
}

func newDatabase(ctx *pulumi.Context, args databaseArgs) (*database, error) {
	d := &database{}
	if err := ctx.RegisterComponentResource("restock:database:Database", "database", d); err != nil {
		return nil, fmt.Errorf("creating the database: %w", err)
	}
	subnets, err := rds.NewSubnetGroup(ctx, "database", &rds.SubnetGroupArgs{SubnetIds: args.subnetIDs}, childOf(d))
	if err != nil {
		return nil, fmt.Errorf("creating the database's subnet group: %w", err)
	}
	parameters, err := rds.NewParameterGroup(ctx, "database", &rds.ParameterGroupArgs{
		Family: pulumi.String("mariadb" + mariadbVersion),
		Parameters: rds.ParameterGroupParameterArray{
			parameter("character_set_server", "utf8mb4"),
			parameter("collation_server", "utf8mb4_unicode_ci"),
			parameter("max_connections", fmt.Sprint(args.settings.MaxConnections)),
			parameter("require_secure_transport", "1"),
			// Lambda ends an instance and does not close its connections. The server drops them
			// soon after the age at which a living instance would have replaced them.
			parameter("wait_timeout", "360"),
		},
	}, childOf(d))
	if err != nil {
		return nil, fmt.Errorf("creating the database's parameters: %w", err)
	}
	declared := instanceArgs(args, subnets, parameters)
	d.instance, err = rds.NewInstance(ctx, "database", declared, childOf(d), pulumi.Protect(args.protect))
	if err != nil {
		return nil, fmt.Errorf("creating the database: %w", err)
	}
	d.adminSecret = d.instance.MasterUserSecrets.ApplyT(func(all []rds.InstanceMasterUserSecret) (string, error) {
		if len(all) == 0 || all[0].SecretArn == nil {
			return "", errors.New("creating the database: RDS makes no secret of the master user: set " +
				"ManageMasterUserPassword in infra/stack/database.go")
		}
		return *all[0].SecretArn, nil
	}).(pulumi.StringOutput)
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{"address": d.instance.Address})
}

func instanceArgs(
	args databaseArgs, subnets *rds.SubnetGroup, parameters *rds.ParameterGroup,
) *rds.InstanceArgs {
	instance := &rds.InstanceArgs{
		Engine:                   pulumi.String("mariadb"),
		EngineVersion:            pulumi.String(mariadbVersion),
		InstanceClass:            pulumi.String(args.settings.InstanceClass),
		AllocatedStorage:         pulumi.Int(args.settings.StorageGiB),
		StorageType:              pulumi.String("gp3"),
		StorageEncrypted:         pulumi.Bool(true),
		DbName:                   pulumi.String(databaseName),
		Username:                 pulumi.String(masterUser),
		ManageMasterUserPassword: pulumi.Bool(true),
		DbSubnetGroupName:        subnets.Name,
		VpcSecurityGroupIds:      pulumi.StringArray{args.group.ID()},
		PubliclyAccessible:       pulumi.Bool(false),
		CaCertIdentifier:         pulumi.String("rds-ca-rsa2048-g1"),
		ParameterGroupName:       parameters.Name,
		MultiAz:                  pulumi.Bool(args.settings.MultiAZ),
		BackupRetentionPeriod:    pulumi.Int(args.settings.BackupRetentionDays),
		CopyTagsToSnapshot:       pulumi.Bool(true),
		AutoMinorVersionUpgrade:  pulumi.Bool(true),
		AllowMajorVersionUpgrade: pulumi.Bool(true), // otherwise RDS refuses another mariadbVersion
		// Otherwise RDS waits for the maintenance window, and the functions of a grown stage would
		// open more connections than the old instance class has memory for.
		// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
		ApplyImmediately:   pulumi.Bool(true),
		DeletionProtection: pulumi.Bool(args.protect),
		// Pulumi reads these two from its state when it deletes the database, so they must not
		// follow protect, which is false by then.
		// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
		SkipFinalSnapshot:      pulumi.Bool(!args.settings.KeepBackups),
		DeleteAutomatedBackups: pulumi.Bool(!args.settings.KeepBackups),
	}
	if args.settings.MaxStorageGiB > 0 {
		instance.MaxAllocatedStorage = pulumi.Int(args.settings.MaxStorageGiB)
	}
	if args.settings.KeepBackups {
		// RDS refuses to delete the database if another snapshot has the name. Pulumi gives each
		// new subnet group a new name, so each creation of the stage has a snapshot of its own.
		instance.FinalSnapshotIdentifier = pulumi.Sprintf("%s-final", subnets.Name)
	}
	return instance
}

func parameter(name, value string) rds.ParameterGroupParameterArgs {
	return rds.ParameterGroupParameterArgs{
		Name: pulumi.String(name), Value: pulumi.String(value), ApplyMethod: pulumi.String("immediate"),
	}
}
