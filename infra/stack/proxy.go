package stack

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
	"restock/infra/policy"
)

// proxyShare is the proxy's share of the database's connections, in percent. The rest is for setup
// and for people, who connect directly.
const proxyShare = 90

// borrowSeconds is how long the proxy waits for a free connection. A function waits longer for its
// answer.
const borrowSeconds = 5

// A proxy is RDS Proxy between the functions and the database.
type proxy struct {
	host pulumi.StringOutput // the functions connect to it
	// ready are the resources that a function needs to reach the database through the proxy.
	ready []pulumi.Resource
}

type proxyArgs struct {
	settings Settings
	network  *network
	database *database
	logins   []*secretsmanager.Secret // the functions' database users, one each
	after    pulumi.Resource          // fills the secrets
}

// newProxy puts RDS Proxy in front of the database.
func newProxy(ctx *pulumi.Context, args proxyArgs) (*proxy, error) {
	failed := func(err error) (*proxy, error) {
		return nil, fmt.Errorf("putting a proxy before the database: %w", err)
	}
	child := pulumi.Parent(args.database.instance)
	group, rules, err := proxyGroup(ctx, args.network)
	if err != nil {
		return failed(err)
	}
	role, err := proxyRole(ctx, args, child)
	if err != nil {
		return failed(err)
	}
	var users rds.ProxyAuthArray
	for _, login := range args.logins {
		users = append(users, rds.ProxyAuthArgs{
			AuthScheme: pulumi.String("SECRETS"), IamAuth: pulumi.String("DISABLED"), SecretArn: login.Arn,
		})
	}
	p, err := rds.NewProxy(ctx, "database", &rds.ProxyArgs{
		EngineFamily:        pulumi.String("MYSQL"),
		Auths:               users,
		RequireTls:          pulumi.Bool(true),
		RoleArn:             role.Arn,
		VpcSubnetIds:        args.network.subnetIDs,
		VpcSecurityGroupIds: pulumi.StringArray{group.ID()},
	}, child, pulumi.DependsOn([]pulumi.Resource{role.policy, args.after}))
	if err != nil {
		return failed(err)
	}
	pool, err := rds.NewProxyDefaultTargetGroup(ctx, "database", &rds.ProxyDefaultTargetGroupArgs{
		DbProxyName: p.Name,
		ConnectionPoolConfig: rds.ProxyDefaultTargetGroupConnectionPoolConfigArgs{
			MaxConnectionsPercent: pulumi.Int(proxyShare), ConnectionBorrowTimeout: pulumi.Int(borrowSeconds),
		},
	}, pulumi.Parent(p))
	if err != nil {
		return failed(err)
	}
	target, err := rds.NewProxyTarget(ctx, "database", &rds.ProxyTargetArgs{
		DbProxyName: p.Name, TargetGroupName: pool.Name, DbInstanceIdentifier: args.database.instance.Identifier,
	}, pulumi.Parent(p))
	if err != nil {
		return failed(err)
	}
	return &proxy{p.Endpoint, append(rules, target)}, nil
}

// proxyGroup makes the proxy's security group. It allows connections from the functions to the
// proxy, and from the proxy to the database.
func proxyGroup(ctx *pulumi.Context, n *network) (*ec2.SecurityGroup, []pulumi.Resource, error) {
	group, err := n.group(ctx, "proxy", "The proxy before the database")
	if err != nil {
		return nil, nil, err
	}
	in, err := allow(ctx, "functions-to-proxy", n.functions, group, mysqlPort)
	if err != nil {
		return nil, nil, err
	}
	out, err := allow(ctx, "proxy-to-database", group, n.database, mysqlPort)
	if err != nil {
		return nil, nil, err
	}
	return group, append(in, out...), nil
}

// proxyRole makes the role with which the proxy reads the logins of the functions' users.
func proxyRole(ctx *pulumi.Context, args proxyArgs, child pulumi.ResourceOption) (*role, error) {
	r, err := newServiceRole(ctx, args.settings, "proxy", "rds.amazonaws.com", child)
	if err != nil {
		return nil, err
	}
	var arns []pulumi.StringInput
	for _, login := range args.logins {
		arns = append(arns, login.Arn)
	}
	mayRead, err := iam.NewRolePolicy(ctx, "proxy", &iam.RolePolicyArgs{
		Role: r.Name,
		Policy: outputs.JSON(func(arns []string) any {
			return policy.New(policy.Statement{
				Effect: "Allow", Action: policy.Actions("secret", "read"), Resource: arns,
			})
		}, arns...),
	}, child)
	if err != nil {
		return nil, err
	}
	return &role{r, mayRead}, nil
}
