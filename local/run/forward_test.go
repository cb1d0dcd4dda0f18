package run_test

import (
	"bytes"
	"cmp"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/local/run"
	"restock/test/module"
)

const (
	mayUseObjects = `{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"*"}`
	mayPutItem    = `{"Effect":"Allow","Action":"dynamodb:PutItem",` +
		`"Resource":"arn:aws:dynamodb:eu-west-1:000000000000:table/orders"}`
	allOfS3  = `{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}`
	allOfAll = `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`
)

// A buffer may be written while it is read.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// An archive is a program with a function that uses a bucket and a table, in a VPC with gateway
// endpoints.
type archive struct {
	statements          string // of the function's role
	tableEndpointPolicy string // default: it allows everything
	encrypted           bool   // the bucket, with a key of the account
	bucket              string // that the function uses; default: the declared one
}

func (a archive) declare(build bundle.Builder) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		code, err := build(ctx.Context(), []string{"save"})
		if err != nil {
			return err
		}
		bucket, err := newResource(ctx, graph.Bucket, "orders", nil)
		if err != nil {
			return err
		}
		if a.encrypted {
			if err := encrypt(ctx, bucket); err != nil {
				return err
			}
		}
		table, err := newResource(ctx, graph.Table, "orders", pulumi.Map{
			"hashKey": pulumi.String("id"), "billingMode": pulumi.String("PAY_PER_REQUEST"),
			"attributes": pulumi.Array{pulumi.Map{"name": pulumi.String("id"), "type": pulumi.String("S")}},
		})
		if err != nil {
			return err
		}
		inVPC, err := a.network(ctx)
		if err != nil {
			return err
		}
		role, err := newResource(ctx, graph.Role, "save", pulumi.Map{
			"assumeRolePolicy": pulumi.String(`{"Statement":{"Effect":"Allow",` +
				`"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`),
		})
		if err != nil {
			return err
		}
		_, err = newResource(ctx, graph.RolePolicy, "save", pulumi.Map{
			"role": role.Name, "policy": pulumi.String(`{"Version":"2012-10-17","Statement":[` + a.statements + `]}`),
		})
		if err != nil {
			return err
		}
		used := pulumi.StringInput(bucket.Bucket)
		if a.bucket != "" {
			used = pulumi.String(a.bucket)
		}
		_, err = newResource(ctx, graph.Function, "save", pulumi.Map{
			"runtime": pulumi.String("provided.al2023"), "handler": pulumi.String("bootstrap"), "role": role.ARN,
			"code":    pulumi.NewFileArchive(code["save"].Path),
			"timeout": pulumi.Int(60), "memorySize": pulumi.Int(512), "vpcConfig": inVPC,
			"environment": pulumi.Map{"variables": pulumi.Map{"BUCKET": used, "TABLE": table.Name}},
		})
		return err
	}
}

// encrypt declares a key, with which the bucket encrypts its objects.
func encrypt(ctx *pulumi.Context, bucket *resource) error {
	key, err := newResource(ctx, graph.Key, "orders", nil)
	if err != nil {
		return err
	}
	_, err = newResource(ctx, graph.BucketEncryption, "orders", pulumi.Map{
		"bucket": bucket.Bucket,
		"rules": pulumi.Array{pulumi.Map{"applyServerSideEncryptionByDefault": pulumi.Map{
			"sseAlgorithm": pulumi.String("aws:kms"), "kmsMasterKeyId": key.ARN,
		}}},
	})
	return err
}

// network declares a VPC with gateway endpoints for both services, and returns the vpcConfig of a
// function in it.
func (a archive) network(ctx *pulumi.Context) (pulumi.Map, error) {
	vpc, err := newResource(ctx, graph.VPC, "v", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")})
	if err != nil {
		return nil, err
	}
	subnet, err := newResource(ctx, graph.Subnet, "s", pulumi.Map{
		"vpcId": vpc.ID(), "cidrBlock": pulumi.String("10.0.0.0/20"),
	})
	if err != nil {
		return nil, err
	}
	routes, err := newResource(ctx, graph.RouteTable, "r", pulumi.Map{"vpcId": vpc.ID()})
	if err != nil {
		return nil, err
	}
	_, err = newResource(ctx, graph.RouteTableAssociation, "s", pulumi.Map{
		"subnetId": subnet.ID(), "routeTableId": routes.ID(),
	})
	if err != nil {
		return nil, err
	}
	var lists pulumi.Array
	for service, policy := range map[string]string{"s3": allOfS3, "dynamodb": cmp.Or(a.tableEndpointPolicy, allOfAll)} {
		endpoint, err := newResource(ctx, graph.VPCEndpoint, service, pulumi.Map{
			"vpcId": vpc.ID(), "serviceName": pulumi.String("com.amazonaws.eu-west-1." + service),
			"routeTableIds": pulumi.Array{routes.ID()}, "policy": pulumi.String(policy),
		})
		if err != nil {
			return nil, err
		}
		lists = append(lists, endpoint.PrefixListID)
	}
	group, err := newResource(ctx, graph.SecurityGroup, "g", pulumi.Map{
		"vpcId": vpc.ID(),
		"egress": pulumi.Array{pulumi.Map{
			"protocol": pulumi.String("tcp"), "fromPort": pulumi.Int(443), "toPort": pulumi.Int(443),
			"prefixListIds": lists,
		}},
	})
	if err != nil {
		return nil, err
	}
	return pulumi.Map{
		"subnetIds": pulumi.Array{subnet.ID()}, "securityGroupIds": pulumi.Array{group.ID()},
	}, nil
}

// save runs the program, invokes the function, and returns its answer and the refusals. built says
// that buildDir has what the run builds.
func (a archive) save(t *testing.T, buildDir string, built bool) (answer string, refused []string) {
	t.Helper()
	log := &buffer{}
	c := run.DefaultConfig(run.Program{
		Name: "archive", Project: ".", Functions: "functions", Declare: a.declare,
	}, "testdata/archive")
	c.API, c.AWS, c.BuildDir, c.Built, c.Unchecked = "127.0.0.1:0", "127.0.0.1:0", buildDir, built, true
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	c.Refused = func(line string) { refused = append(refused, line) }
	r, err := run.Start(t.Context(), c)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	defer r.Close()
	client := lambda.New(lambda.Options{
		BaseEndpoint: aws.String(r.Endpoints().AWS), Region: "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	out, err := client.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("save"), Payload: []byte(`{"ID":"7","Text":"two doughnuts"}`),
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return string(out.Payload), refused
}

// The function is a program with AWS's SDK, and the emulator is kumo.
func TestAFunctionUsesABucketAndATable(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the emulator, and the SDKs of S3 and DynamoDB")
	}
	buildDir, built := module.Kept(t, "../..", "archive"), false
	const (
		user       = "arn:aws:sts::000000000000:assumed-role/save/save"
		mayEncrypt = `{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"*"}`
		mayDecrypt = `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}`
		all        = mayUseObjects + "," + mayPutItem
	)
	for name, c := range map[string]struct {
		archive
		answer  string // a part of it
		refused string // a part of the only refusal; empty for none
	}{
		"with its grants": {archive{statements: all}, `"two doughnuts"`, ""},
		"without the grant for the bucket": {
			archive{statements: mayPutItem}, "is not authorized to perform: s3:PutObject",
			user + ` may not s3:PutObject: the statement "Allow s3:PutObject on arn:aws:s3:::orders/orders/7.txt" ` +
				`is missing (local/run/forward_test.go:`,
		},
		"without the grant for the table": {
			archive{statements: mayUseObjects}, "is not authorized to perform: dynamodb:PutItem",
			`the statement "Allow dynamodb:PutItem on arn:aws:dynamodb:eu-west-1:000000000000:table/orders" ` +
				`is missing`,
		},
		"with an endpoint policy for another table": {
			archive{statements: all, tableEndpointPolicy: strings.Replace(allOfAll, `"*"}}`, `"*/others"}}`, 1)},
			"because no VPC endpoint policy allows the dynamodb:PutItem action",
			"(in the policy of VpcEndpoint dynamodb)",
		},
		"with the grants for the bucket's key": {
			archive{statements: all + "," + mayEncrypt + "," + mayDecrypt, encrypted: true}, `"two doughnuts"`, "",
		},
		"without the grant to decrypt": {
			archive{statements: all + "," + mayEncrypt, encrypted: true},
			"api error AccessDenied: User: " + user + " is not authorized to perform: kms:Decrypt",
			user + ` may not kms:Decrypt: the statement "Allow kms:Decrypt on arn:aws:kms:eu-west-1:000000000000:key/`,
		},
		// kumo has the service S3 Tables at this path.
		"with a bucket that nobody has declared": {archive{statements: all, bucket: "tables"}, "NoSuchBucket", ""},
	} {
		answer, refused := c.save(t, buildDir, built)
		built = true
		if !strings.Contains(answer, c.answer) {
			t.Errorf("%s: got the answer %s, want %s", name, answer, c.answer)
		}
		if got := strings.Join(refused, "; "); !strings.Contains(got, c.refused) || (got == "") != (c.refused == "") {
			t.Errorf("%s: got the refusals %q, want %q", name, refused, c.refused)
		}
	}
}
