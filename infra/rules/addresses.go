package rules

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"restock/infra/graph"
)

// checkAddresses checks the addresses and the zones of a network. EC2 refuses a subnet that is not
// in its VPC, or that shares addresses with another subnet. RDS wants two zones.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
func checkAddresses(i *inspection) {
	for _, vpc := range i.OfType(graph.VPC) {
		around, ok := i.block(vpc)
		if !ok {
			continue
		}
		blocks := []netip.Prefix{around}
		for _, more := range i.OfType(graph.VPCBlock) {
			if b, err := netip.ParsePrefix(more.String("cidrBlock")); err == nil && more.String("vpcId") == vpc.ID {
				blocks = append(blocks, b)
			}
		}
		var others []*graph.Resource
		for _, subnet := range i.OfType(graph.Subnet) {
			if subnet.String("vpcId") != vpc.ID {
				continue
			}
			block, ok := i.block(subnet)
			if !ok {
				continue
			}
			if !slices.ContainsFunc(blocks, func(b netip.Prefix) bool {
				return b.Contains(block.Addr()) && block.Bits() >= b.Bits()
			}) {
				i.report(subnet, "choose addresses of the VPC", "cidrBlock is %s, which is not in %s, the block of %s",
					block, around, title(vpc))
			}
			for _, other := range others {
				if b, err := netip.ParsePrefix(other.String("cidrBlock")); err == nil && b.Overlaps(block) {
					i.report(subnet, "set cidrBlock to a free block",
						"cidrBlock is %s, which overlaps %s, the block of %s: EC2 refuses it",
						block, b, title(other))
				}
			}
			others = append(others, subnet)
		}
	}
	i.checkZones()
}

// block returns the addresses of a VPC or a subnet. It reports addresses that EC2 refuses. EC2
// changes an address that is not the first one of its block, and the AWS provider refuses it:
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html
// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/verify/validate.go
func (i *inspection) block(r *graph.Resource) (netip.Prefix, bool) {
	text := r.String("cidrBlock")
	if text == "" {
		return netip.Prefix{}, false
	}
	block, err := netip.ParsePrefix(text)
	if err != nil || !block.Addr().Is4() || block != block.Masked() || block.Bits() < 16 || block.Bits() > 28 {
		i.report(r, "set cidrBlock to a block like 10.20.16.0/20", "cidrBlock is %q, want the first address of a "+
			"block of IPv4, and /16 to /28: EC2 refuses it", text)
		return block, false
	}
	return block, true
}

// checkZones checks the zones of subnets, and of what is in them.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-network-prereqs.html
// https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
func (i *inspection) checkZones() {
	for _, subnet := range i.OfType(graph.Subnet) {
		if zone := subnet.String("availabilityZone"); zone != "" && !strings.HasPrefix(zone, i.Region) {
			i.report(subnet, "set availabilityZone to a zone of "+i.Region,
				"availabilityZone is %s, which is not in %s: EC2 refuses it",
				zone, i.Region)
		}
	}
	for token, property := range map[graph.Type]string{
		graph.SubnetGroup: "subnetIds", graph.Proxy: "vpcSubnetIds", graph.VPCEndpoint: "subnetIds",
	} {
		for _, r := range i.OfType(token) {
			var zones []string
			complete := true
			for _, id := range r.Strings(property) {
				subnet := byID(i.Graph, graph.Subnet, id)
				if subnet == nil {
					complete = false // the rule reference reports it
					continue
				}
				zone := cmp.Or(subnet.String("availabilityZone"), subnet.String("availabilityZoneId"))
				if zone == "" {
					complete = false // EC2 chooses it
					continue
				}
				zones = append(zones, zone)
			}
			slices.Sort(zones)
			distinct := slices.Compact(slices.Clone(zones))
			switch {
			case token == graph.VPCEndpoint && len(distinct) < len(zones):
				i.report(r, "name one subnet of each zone in "+property, "%s has two subnets of one zone, %s: EC2 "+
					"refuses it",
					property,
					strings.Join(zones, ", "))
			case token != graph.VPCEndpoint && complete && len(distinct) < 2:
				i.report(r, "add a subnet of another zone to "+property, "its subnets are in %d zone, %s: RDS "+
					"wants two or more",
					len(distinct), strings.Join(distinct, ", "))
			}
		}
	}
}
