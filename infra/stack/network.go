package stack

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const (
	vpcCIDR = "10.20.0.0/16"

	mysqlPort = 3306
	httpsPort = 443
)

// interfaceEndpoints are the services of AWS that functions in the VPC call: there is no other way out of it.
var interfaceEndpoints = []string{"secretsmanager", "sns"}

// A network is a VPC without a way to the Internet: private subnets, a security group for each kind of thing in them, and endpoints
// for the services of AWS.
type network struct {
	vpc       *ec2.Vpc
	subnetIDs pulumi.StringArray
	functions *ec2.SecurityGroup
	database  *ec2.SecurityGroup
	// ready are the resources without which a function in the VPC reaches nothing.
	ready []pulumi.Resource
}

func newNetwork(ctx *pulumi.Context, s Settings) (*network, error) {
	v, err := ec2.NewVpc(ctx, "network", &ec2.VpcArgs{
		CidrBlock:          pulumi.String(vpcCIDR),
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true), // the endpoints' private names need it
	})
	if err != nil {
		return nil, fmt.Errorf("creating the VPC: %w", err)
	}
	n := &network{vpc: v}
	inVPC := pulumi.Parent(v)
	var endpointSubnetIDs pulumi.StringArray

	routes, err := ec2.NewRouteTable(ctx, "private", &ec2.RouteTableArgs{VpcId: v.ID()}, inVPC)
	if err != nil {
		return nil, fmt.Errorf("creating the private route table: %w", err)
	}
	for i, zone := range s.Zones {
		name := "private-" + zone
		subnet, err := ec2.NewSubnet(ctx, name, &ec2.SubnetArgs{
			VpcId:            v.ID(),
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
		if slices.Contains(s.EndpointZones, zone) {
			endpointSubnetIDs = append(endpointSubnetIDs, subnet.ID().ToStringOutput())
		}
		n.ready = append(n.ready, association)
	}

	// The default group lets its members talk to each other and to the world. Nothing is to be its member.
	if _, err := ec2.NewDefaultSecurityGroup(ctx, "unused", &ec2.DefaultSecurityGroupArgs{VpcId: v.ID()}, inVPC); err != nil {
		return nil, fmt.Errorf("closing the default security group: %w", err)
	}
	if n.functions, err = n.group(ctx, "functions", "The functions that work on the database"); err != nil {
		return nil, err
	}
	if n.database, err = n.group(ctx, "database", "The database"); err != nil {
		return nil, err
	}
	endpoints, err := n.group(ctx, "endpoints", "The endpoints of AWS services")
	if err != nil {
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
		if err := n.allow(ctx, "functions-to-"+to.name, n.functions, to.group, to.port); err != nil {
			return nil, err
		}
	}

	region := config.Require(ctx, "aws:region")
	for _, service := range interfaceEndpoints {
		endpoint, err := ec2.NewVpcEndpoint(ctx, service, &ec2.VpcEndpointArgs{
			VpcId:             v.ID(),
			VpcEndpointType:   pulumi.String("Interface"),
			ServiceName:       pulumi.Sprintf("com.amazonaws.%s.%s", region, service),
			SubnetIds:         endpointSubnetIDs,
			SecurityGroupIds:  pulumi.StringArray{endpoints.ID()},
			PrivateDnsEnabled: pulumi.Bool(true),
		}, inVPC)
		if err != nil {
			return nil, fmt.Errorf("creating the endpoint of %s: %w", service, err)
		}
		n.ready = append(n.ready, endpoint)
	}
	return n, nil
}

// group makes a security group. It has no rules yet: nothing gets in or out.
func (n *network) group(ctx *pulumi.Context, name, description string) (*ec2.SecurityGroup, error) {
	g, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{VpcId: n.vpc.ID(), Description: pulumi.String(description)}, pulumi.Parent(n.vpc))
	if err != nil {
		return nil, fmt.Errorf("creating security group %s: %w", name, err)
	}
	return g, nil
}

// allow lets one group open TCP connections to another, on one port: the way out of the one and the way into the other.
func (n *network) allow(ctx *pulumi.Context, name string, from, to *ec2.SecurityGroup, port int) error {
	out, err := vpc.NewSecurityGroupEgressRule(ctx, name, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: from.ID(), ReferencedSecurityGroupId: to.ID(),
		IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(port), ToPort: pulumi.Int(port),
	}, pulumi.Parent(from))
	if err != nil {
		return fmt.Errorf("allowing %s: %w", name, err)
	}
	in, err := vpc.NewSecurityGroupIngressRule(ctx, name, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: to.ID(), ReferencedSecurityGroupId: from.ID(),
		IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(port), ToPort: pulumi.Int(port),
	}, pulumi.Parent(to))
	if err != nil {
		return fmt.Errorf("allowing %s: %w", name, err)
	}
	n.ready = append(n.ready, out, in)
	return nil
}

// subnetCIDR is the i-th /20 of the VPC: 4091 addresses, of which functions take few and endpoints one each.
func subnetCIDR(i int) string {
	address := netip.MustParsePrefix(vpcCIDR).Addr().As4()
	address[2] = byte(i << 4) // #nosec G115 -- no region has as many zones as there are /20s
	return netip.PrefixFrom(netip.AddrFrom4(address), 20).String()
}
