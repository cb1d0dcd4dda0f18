package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"restock/infra/graph"
	standin "restock/local/aws/lambda"
)

// An account is an AWS account in the stage's region.
type account struct{ config aws.Config }

// checkIdentity shows who deploys where. All later checks of AWS need it, so it explains why AWS
// cannot be asked. It prints AWS's error codes only, because messages may contain keys.
func (d *doctor) checkIdentity(ctx context.Context) finding {
	const login = "log in (aws configure, or aws sso login), and set AWS_PROFILE if it is not the default profile"
	region := d.config["aws:region"]
	if region == "" {
		return fail("set aws:region in "+d.file(), "the stage has no region")
	}
	c, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithRetryMaxAttempts(2),
		config.WithLogger(logging.Nop{}), // the finding says it in one line
		config.WithSharedConfigProfile(d.config["aws:profile"]),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(5*time.Second)))
	if err != nil {
		return fail(login, "the AWS configuration cannot be read: %v", err)
	}
	if _, err := c.Credentials.Retrieve(ctx); err != nil {
		return fail(login, "there are no AWS credentials")
	}
	who, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, nil)
	if code := codeOf(err); code != "" {
		return fail(login+"; a region that is off by default must be enabled for the account",
			"AWS refuses the credentials in %s (%s)", region, code)
	}
	if err != nil {
		return fail("check the network, the proxy, and aws:region in "+d.file(), "AWS cannot be reached in %s", region)
	}
	d.aws = &account{c}
	says := fmt.Sprintf("%s, account %s, region %s", aws.ToString(who.Arn), aws.ToString(who.Account), region)
	if strings.HasSuffix(aws.ToString(who.Arn), ":root") {
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html
		return warn("deploy with a user or a role of IAM", "%s is the root user", says)
	}
	return ok("%s", says)
}

// codeOf returns the code of AWS's error, or "" if AWS did not answer.
func codeOf(err error) string {
	if refused := smithy.APIError(nil); errors.As(err, &refused) {
		return refused.ErrorCode()
	}
	return ""
}

// unknown is the finding of a check that AWS did not answer. It does not stop the deployment.
func unknown(action string, err error) finding {
	code := codeOf(err)
	if code == "" {
		return warn("run it again", "AWS did not answer %s", action)
	}
	return warn("allow it for this identity, or check in the console", "AWS refuses %s (%s)", action, code)
}

// increase is the command that asks AWS for a higher quota.
func increase(service, code string, to int, region string) string {
	return fmt.Sprintf("aws service-quotas request-service-quota-increase --region %s --service-code %s "+
		"--quota-code %s --desired-value %d", region, service, code, to)
}

// checkConcurrency compares what the functions reserve with the account's quota. Lambda keeps a
// part of the quota for functions without a reservation.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
func (d *doctor) checkConcurrency(ctx context.Context) finding {
	got, err := lambda.NewFromConfig(d.aws.config).GetAccountSettings(ctx, nil)
	if err != nil || got.AccountLimit == nil {
		return unknown("lambda:GetAccountSettings", err)
	}
	reserved := 0
	for _, f := range d.declared.OfType(graph.Function) {
		reserved += max(0, int(f.Number("reservedConcurrentExecutions")))
	}
	quota := int(got.AccountLimit.ConcurrentExecutions)
	free := int(aws.ToInt32(got.AccountLimit.UnreservedConcurrentExecutions))
	needs := reserved + standin.UnreservedConcurrency
	ask := increase("lambda", "L-B99A9384", max(needs, standin.DefaultConcurrency), d.declared.Region)
	switch database := d.settings.Database; {
	case reserved == 0 && quota > database.MaxConnections && !database.Proxy:
		return warn("remove concurrency: unreserved from "+d.file()+", or set database.proxy",
			"%d instances at once may open more connections than the database's %d", quota, database.MaxConnections)
	case reserved == 0:
		return ok("%s reserves nothing, and its functions share the account's %d", d.stage, quota)
	case quota < needs:
		return fail(fmt.Sprintf("set concurrency: unreserved in %s, or ask AWS for more: %s", d.file(), ask),
			"the account's quota is %d, %s reserves %d, and %d must stay free",
			quota, d.stage, reserved, standin.UnreservedConcurrency)
	case free < needs:
		return warn("if this stage is new, ask AWS for more: "+ask,
			"other functions, or this stage's, reserve %d of the account's %d, %s reserves %d, and %d must stay free",
			quota-free, quota, d.stage, reserved, standin.UnreservedConcurrency)
	}
	return ok("%s reserves %d of the account's %d", d.stage, reserved, quota)
}

// The quota of VPCs in a region, and its default:
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
const (
	vpcQuota        = "L-F678F1CE"
	defaultVPCQuota = 5
)

// vpcs is the answer to DescribeVpcs:
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html
type vpcs struct {
	VPCs []struct {
		Tags []struct {
			Key   string `xml:"key"`
			Value string `xml:"value"`
		} `xml:"tagSet>item"`
	} `xml:"vpcSet>item"`
}

// checkVPCs counts the VPCs of the region.
func (d *doctor) checkVPCs(ctx context.Context) finding {
	var got vpcs
	if err := d.aws.query(ctx, "ec2", "2016-11-15", "DescribeVpcs", nil, &got); err != nil {
		return unknown("ec2:DescribeVpcs", err)
	}
	for _, vpc := range got.VPCs {
		tags := map[string]string{}
		for _, t := range vpc.Tags {
			tags[t.Key] = t.Value
		}
		if tags["project"] == d.name && tags["stage"] == d.stage {
			return ok("%s has its VPC already", d.stage)
		}
	}
	quota, source := defaultVPCQuota, "default quota"
	if q, err := servicequotas.NewFromConfig(d.aws.config).GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{
		ServiceCode: aws.String("vpc"), QuotaCode: aws.String(vpcQuota),
	}); err == nil && q.Quota != nil {
		quota, source = int(aws.ToFloat64(q.Quota.Value)), "quota"
	}
	used, needs := len(got.VPCs), len(d.declared.OfType(graph.VPC))
	if used+needs > quota {
		return fail("delete a VPC that nobody needs, or ask AWS for more: "+
			increase("vpc", vpcQuota, used+needs, d.declared.Region),
			"the region has %d VPCs, %s needs %d more, and the %s is %d", used, d.stage, needs, source, quota)
	}
	return ok("%d of %d VPCs are in use (%s)", used, quota, source)
}

// orderable is the answer to DescribeOrderableDBInstanceOptions:
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html
type orderable struct {
	Options []struct {
		EngineVersion string
		StorageType   string
		Zones         []string `xml:"AvailabilityZones>AvailabilityZone>Name"`
	} `xml:"DescribeOrderableDBInstanceOptionsResult>OrderableDBInstanceOptions>OrderableDBInstanceOption"`
	Marker string `xml:"DescribeOrderableDBInstanceOptionsResult>Marker"`
}

// checkDatabase checks that RDS offers the instance class with the engine's version and storage, in
// as many of the stage's zones as the database has instances.
func (d *doctor) checkDatabase(ctx context.Context) finding {
	databases := d.declared.OfType(graph.Database)
	if len(databases) == 0 {
		return ok("the stage has no database")
	}
	r := databases[0]
	class, engine, version := r.String("instanceClass"), r.String("engine"), r.String("engineVersion")
	values := url.Values{"Engine": {engine}, "DBInstanceClass": {class}}
	zones := map[string]bool{}
	for {
		var page orderable
		err := d.aws.query(ctx, "rds", "2014-10-31", "DescribeOrderableDBInstanceOptions", values, &page)
		if err != nil {
			return unknown("rds:DescribeOrderableDBInstanceOptions", err)
		}
		for _, o := range page.Options {
			storage := r.String("storageType")
			// The program gives the major version, and RDS chooses the patch release.
			if strings.HasPrefix(o.EngineVersion+".", version+".") && (storage == "" || o.StorageType == storage) {
				for _, zone := range o.Zones {
					zones[zone] = slices.Contains(d.settings.Zones, zone)
				}
			}
		}
		if page.Marker == "" {
			break
		}
		values.Set("Marker", page.Marker)
	}
	offered := 0
	for _, ours := range zones {
		if ours {
			offered++
		}
	}
	wanted := 1
	if d.settings.Database.MultiAZ {
		wanted = 2
	}
	switch {
	case len(zones) == 0:
		return fail("set another database.instanceClass in "+d.file()+", or another region",
			"%s does not offer %s with %s %s", d.declared.Region, class, engine, version)
	case offered < wanted:
		return fail("set other zones in "+d.file(),
			"%d of the zones %v offer %s with %s %s, and the database needs %d",
			offered, d.settings.Zones, class, engine, version, wanted)
	}
	return ok("%s with %s %s, in %d of the stage's %d zones",
		class, engine, version, offered, len(d.settings.Zones))
}
