package stack

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
)

// proxyShare is how much of the database's connections the proxy takes, in percent. setup goes around it, and so do people.
const proxyShare = 90

// borrowSeconds is how long the proxy waits for a connection that is free: less than a function waits for its answer.
const borrowSeconds = 5

// newProxy puts RDS Proxy before the database, for the functions' user: its secret has to be filled. It returns what has to be there before
// anybody connects, beside what makes the network ready.
func newProxy(ctx *pulumi.Context, s Settings, n *network, d *database, login *secretsmanager.Secret, after pulumi.Resource) (*rds.ProxyTarget, error) {
	failed := func(err error) (*rds.ProxyTarget, error) {
		return nil, fmt.Errorf("putting a proxy before the database: %w", err)
	}
	child := pulumi.Parent(d.instance)
	group, err := n.group(ctx, "proxy", "The proxy before the database")
	if err != nil {
		return failed(err)
	}
	if err := n.allow(ctx, "functions-to-proxy", n.functions, group, mysqlPort); err != nil {
		return failed(err)
	}
	if err := n.allow(ctx, "proxy-to-database", group, n.database, mysqlPort); err != nil {
		return failed(err)
	}
	role, err := newServiceRole(ctx, s, "proxy", "rds.amazonaws.com", child)
	if err != nil {
		return failed(err)
	}
	mayRead, err := iam.NewRolePolicy(ctx, "proxy", &iam.RolePolicyArgs{
		Role: role.Name,
		Policy: policy.JSON(func(arns []string) any {
			return policy.New(policy.Statement{Effect: "Allow", Action: policy.Actions("secret", "read"), Resource: []string{arns[0]}})
		}, login.Arn),
	}, child)
	if err != nil {
		return failed(err)
	}
	proxy, err := rds.NewProxy(ctx, "database", &rds.ProxyArgs{
		EngineFamily:        pulumi.String("MYSQL"),
		Auths:               rds.ProxyAuthArray{rds.ProxyAuthArgs{AuthScheme: pulumi.String("SECRETS"), IamAuth: pulumi.String("DISABLED"), SecretArn: login.Arn}},
		RequireTls:          pulumi.Bool(true),
		RoleArn:             role.Arn,
		VpcSubnetIds:        n.subnetIDs,
		VpcSecurityGroupIds: pulumi.StringArray{group.ID()},
	}, child, pulumi.DependsOn([]pulumi.Resource{mayRead, after}))
	if err != nil {
		return failed(err)
	}
	pool, err := rds.NewProxyDefaultTargetGroup(ctx, "database", &rds.ProxyDefaultTargetGroupArgs{
		DbProxyName:          proxy.Name,
		ConnectionPoolConfig: rds.ProxyDefaultTargetGroupConnectionPoolConfigArgs{MaxConnectionsPercent: pulumi.Int(proxyShare), ConnectionBorrowTimeout: pulumi.Int(borrowSeconds)},
	}, pulumi.Parent(proxy))
	if err != nil {
		return failed(err)
	}
	target, err := rds.NewProxyTarget(ctx, "database", &rds.ProxyTargetArgs{
		DbProxyName: proxy.Name, TargetGroupName: pool.Name, DbInstanceIdentifier: d.instance.Identifier,
	}, pulumi.Parent(proxy))
	if err != nil {
		return failed(err)
	}
	d.host = proxy.Endpoint
	return target, nil
}
