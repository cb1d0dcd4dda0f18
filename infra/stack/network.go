package stack

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"restock/infra/outputs"
	"restock/infra/policy"
	"restock/lambdas"
)

const (
	vpcCIDR = "10.20.0.0/16"

	mysqlPort = 3306
	httpsPort = 443
)

// endpointActions returns the actions that functions in the VPC use, by the service of AWS. They
// come from the grants in the functions' environments. The VPC has no other way out than an
// endpoint for each service.
func endpointActions(functions []lambdas.Function) map[string][]string {
	used := map[string][]string{}
	for _, f := range functions {
		if f.Network != lambdas.Private {
			continue
		}
		for _, v := range lambdas.Variables(f.Environment) {
			for _, verb := range v.Grants {
				for _, action := range policy.Actions(v.Thing, verb) {
					service, _, _ := strings.Cut(action, ":")
					used[service] = append(used[service], action)
				}
			}
		}
	}
	for service, actions := range used {
		slices.Sort(actions)
		used[service] = slices.Compact(actions)
	}
	return used
}

// A network is a VPC without a way to the Internet: private subnets, security groups for the
// functions and the database, and endpoints for the services of AWS.
type network struct {
	pulumi.ResourceState
	vpc       *ec2.Vpc
	subnetIDs pulumi.StringArray
	functions *ec2.SecurityGroup
	database  *ec2.SecurityGroup
	// ready are the resources without which a function in the VPC reaches nothing.
	ready []pulumi.Resource
}

type networkArgs struct {
	zones         []string
	endpointZones []string // the zones that have endpoints
	// endpoints are the services with endpoints, and the actions that each lets pass.
	endpoints map[string][]string
}

func newNetwork(ctx *pulumi.Context, args networkArgs) (*network, error) {
	n := &network{}
	if err := ctx.RegisterComponentResource("restock:network:Network", "network", n); err != nil {
		return nil, fmt.Errorf("creating the network: %w", err)
	}
	var err error
	n.vpc, err = ec2.NewVpc(ctx, "network", &ec2.VpcArgs{
		CidrBlock:          pulumi.String(vpcCIDR),
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true), // the endpoints' private names need it
	}, childOf(n))
	if err != nil {
		return nil, fmt.Errorf("creating the VPC: %w", err)
	}
	endpointSubnetIDs, err := n.subnets(ctx, args)
	if err != nil {
		return nil, err
	}
	endpoints, err := n.groups(ctx)
	if err != nil {
		return nil, err
	}
	if err := n.endpoints(ctx, args.endpoints, endpoints, endpointSubnetIDs); err != nil {
		return nil, err
	}
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{"vpcId": n.vpc.ID()})
}

// subnets makes a private subnet in each zone. It returns the ids of the subnets that have
// endpoints.
func (n *network) subnets(ctx *pulumi.Context, args networkArgs) (endpointSubnetIDs pulumi.StringArray, err error) {
	inVPC := pulumi.Parent(n.vpc)
	routes, err := ec2.NewRouteTable(ctx, "private", &ec2.RouteTableArgs{VpcId: n.vpc.ID()}, inVPC)
	if err != nil {
		return nil, fmt.Errorf("creating the private route table: %w", err)
	}
	for i, zone := range args.zones {
		name := "private-" + zone
		subnet, err := ec2.NewSubnet(ctx, name, &ec2.SubnetArgs{
			VpcId:            n.vpc.ID(),
			AvailabilityZone: pulumi.String(zone),
			CidrBlock:        pulumi.String(subnetCIDR(i)),
		}, inVPC)
		if err != nil {
			return nil, fmt.Errorf("creating subnet %s: %w", name, err)
		}
		association, err := ec2.NewRouteTableAssociation(ctx, name, &ec2.RouteTableAssociationArgs{
			SubnetId: subnet.ID(), RouteTableId: routes.ID(),
		}, pulumi.Parent(subnet))
		if err != nil {
			return nil, fmt.Errorf("associating subnet %s with its routes: %w", name, err)
		}
		n.subnetIDs = append(n.subnetIDs, subnet.ID().ToStringOutput())
		if slices.Contains(args.endpointZones, zone) {
			endpointSubnetIDs = append(endpointSubnetIDs, subnet.ID().ToStringOutput())
		}
		n.ready = append(n.ready, association)
	}
	return endpointSubnetIDs, nil
}

// groups makes the security groups. It allows connections from the functions to the database and to
// the endpoints. It returns the endpoints' group.
func (n *network) groups(ctx *pulumi.Context) (endpoints *ec2.SecurityGroup, err error) {
	// AWS lets the members of the default group talk to each other and to the world. Here it gets
	// no rules and no members.
	unused := &ec2.DefaultSecurityGroupArgs{VpcId: n.vpc.ID()}
	if _, err := ec2.NewDefaultSecurityGroup(ctx, "unused", unused, pulumi.Parent(n.vpc)); err != nil {
		return nil, fmt.Errorf("closing the default security group: %w", err)
	}
	if n.functions, err = n.group(ctx, "functions", "The functions that work on the database"); err != nil {
		return nil, err
	}
	if n.database, err = n.group(ctx, "database", "The database"); err != nil {
		return nil, err
	}
	if endpoints, err = n.group(ctx, "endpoints", "The endpoints of AWS services"); err != nil {
		return nil, err
	}
	for _, to := range []struct {
		name  string
		group *ec2.SecurityGroup
		port  int
	}{
		{"database", n.database, mysqlPort},
		{"endpoints", endpoints, httpsPort},
	} {
		rules, err := allow(ctx, "functions-to-"+to.name, n.functions, to.group, to.port)
		if err != nil {
			return nil, err
		}
		n.ready = append(n.ready, rules...)
	}
	return endpoints, nil
}

// endpoints makes an endpoint for each service of AWS that the functions call. Without a policy, an
// endpoint lets everything pass, also the keys of another account, to which code could send what it
// reads: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
func (n *network) endpoints(
	ctx *pulumi.Context, actions map[string][]string, group *ec2.SecurityGroup, subnetIDs pulumi.StringArray,
) error {
	region := config.Require(ctx, "aws:region")
	for _, service := range slices.Sorted(maps.Keys(actions)) {
		endpoint, err := ec2.NewVpcEndpoint(ctx, service, &ec2.VpcEndpointArgs{
			VpcId:             n.vpc.ID(),
			VpcEndpointType:   pulumi.String("Interface"),
			ServiceName:       pulumi.Sprintf("com.amazonaws.%s.%s", region, service),
			SubnetIds:         subnetIDs,
			SecurityGroupIds:  pulumi.StringArray{group.ID()},
			PrivateDnsEnabled: pulumi.Bool(true),
			Policy: outputs.JSON(func(account []string) any {
				return policy.New(policy.Statement{
					Effect: "Allow", Principal: &policy.Principal{AWS: "*"}, Action: actions[service],
					Resource:  []string{"*"},
					Condition: policy.Condition{"StringEquals": {"aws:PrincipalAccount": account[0]}},
				})
			}, outputs.Account(n.vpc.Arn)),
		}, pulumi.Parent(n.vpc))
		if err != nil {
			return fmt.Errorf("creating the endpoint of %s: %w", service, err)
		}
		n.ready = append(n.ready, endpoint)
	}
	return nil
}

// group makes a security group without rules: it allows no connection.
func (n *network) group(ctx *pulumi.Context, name, description string) (*ec2.SecurityGroup, error) {
	args := &ec2.SecurityGroupArgs{VpcId: n.vpc.ID(), Description: pulumi.String(description)}
	g, err := ec2.NewSecurityGroup(ctx, name, args, pulumi.Parent(n.vpc))
	if err != nil {
		return nil, fmt.Errorf("creating security group %s: %w", name, err)
	}
	return g, nil
}

// allow lets one group open TCP connections to another, on one port. It returns the egress rule of
// the first group and the ingress rule of the second.
func allow(ctx *pulumi.Context, name string, from, to *ec2.SecurityGroup, port int) ([]pulumi.Resource, error) {
	out, err := vpc.NewSecurityGroupEgressRule(ctx, name, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: from.ID(), ReferencedSecurityGroupId: to.ID(),
		IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(port), ToPort: pulumi.Int(port),
	}, pulumi.Parent(from))
	if err != nil {
		return nil, fmt.Errorf("allowing %s: %w", name, err)
	}
	in, err := vpc.NewSecurityGroupIngressRule(ctx, name, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: to.ID(), ReferencedSecurityGroupId: from.ID(),
		IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(port), ToPort: pulumi.Int(port),
	}, pulumi.Parent(to))
	if err != nil {
		return nil, fmt.Errorf("allowing %s: %w", name, err)
	}
	return []pulumi.Resource{out, in}, nil
}

// subnetCIDR is the i-th /20 of the VPC. It has 4091 addresses; functions take few, and endpoints
// one each.
func subnetCIDR(i int) string {
	address := netip.MustParsePrefix(vpcCIDR).Addr().As4()
	address[2] = byte(i << 4) // #nosec G115 -- no region has as many zones as there are /20s
	return netip.PrefixFrom(netip.AddrFrom4(address), 20).String()
}
