package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/berth-ecs/berth/test/installation"
)

// zones is a client of Route 53, which signs for us-east-1 wherever it is.
func zones() *route53.Client {
	return route53.New(route53.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(region.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(installation.AccessKey, installation.SecretKey, ""),
	})
}

// found is a namespace and what is in it, as a module of Terraform's makes it.
type found struct {
	*testing.T
	*servicediscovery.Client
	vpc, namespace, service *string
}

// ends waits for an operation as the provider does, and answers it when it is in a status.
func (f *found) ends(id *string, status types.OperationStatus) *types.Operation {
	f.Helper()
	var o *types.Operation
	installation.Eventually(f.T, "the end of operation "+aws.ToString(id), func(ctx context.Context) error {
		out, err := f.GetOperation(ctx, &servicediscovery.GetOperationInput{OperationId: id})
		if err != nil {
			return err
		}
		if o = out.Operation; o.Status != types.OperationStatusSuccess && o.Status != types.OperationStatusFail {
			return fmt.Errorf("is %s", o.Status)
		}
		return nil
	})
	if o.Status != status {
		f.Fatalf("operation %s: %s, %s %s", o.Type, o.Status, aws.ToString(o.ErrorCode), aws.ToString(o.ErrorMessage))
	}
	return o
}

// The life of aws_service_discovery_private_dns_namespace, _service and _instance, with the calls of the provider, and aws_route53_zone's data.
func TestTerraformDiscovery(t *testing.T) {
	t.Parallel()
	f := &found{T: t, Client: region.Discovery()}
	f.make()
	f.read()
	f.change()
	f.readZone()
	f.destroy()
}

func (f *found) make() {
	ctx := f.Context()
	f.vpc = must[ec2.CreateVpcOutput](f.T)(region.EC2().CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.66.0.0/16")})).Vpc.VpcId
	lost := must[servicediscovery.CreatePrivateDnsNamespaceOutput](f.T)(f.CreatePrivateDnsNamespace(ctx, &servicediscovery.CreatePrivateDnsNamespaceInput{
		Name: aws.String("lost.internal"), Vpc: aws.String("vpc-00000000000000000"), CreatorRequestId: aws.String("terraform-0")}))
	if o := f.ends(lost.OperationId, types.OperationStatusFail); aws.ToString(o.ErrorCode) != "CANNOT_CREATE_HOSTED_ZONE" {
		f.Errorf("%s: %s", aws.ToString(o.ErrorCode), aws.ToString(o.ErrorMessage))
	}
	made := must[servicediscovery.CreatePrivateDnsNamespaceOutput](f.T)(f.CreatePrivateDnsNamespace(ctx, &servicediscovery.CreatePrivateDnsNamespaceInput{
		Name: aws.String("terraform.internal"), Vpc: f.vpc, CreatorRequestId: aws.String("terraform-1"), Description: aws.String("made"),
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}}))
	o := f.ends(made.OperationId, types.OperationStatusSuccess)
	f.namespace = aws.String(o.Targets["NAMESPACE"])
	s := must[servicediscovery.CreateServiceOutput](f.T)(f.CreateService(ctx, &servicediscovery.CreateServiceInput{
		Name: aws.String("backend"), CreatorRequestId: aws.String("terraform-2"), NamespaceId: f.namespace,
		DnsConfig: &types.DnsConfig{RoutingPolicy: types.RoutingPolicyMultivalue, DnsRecords: []types.DnsRecord{
			{Type: types.RecordTypeA, TTL: aws.Int64(10)}, {Type: types.RecordTypeSrv, TTL: aws.Int64(10)}}},
		HealthCheckCustomConfig: &types.HealthCheckCustomConfig{}}))
	f.service = s.Service.Id
	registered := must[servicediscovery.RegisterInstanceOutput](f.T)(f.RegisterInstance(ctx, &servicediscovery.RegisterInstanceInput{
		ServiceId: f.service, InstanceId: aws.String("one"), CreatorRequestId: aws.String("terraform-3"),
		Attributes: map[string]string{"AWS_INSTANCE_IPV4": "10.66.0.9", "AWS_INSTANCE_PORT": "8080"}}))
	f.ends(registered.OperationId, types.OperationStatusSuccess)
}

func (f *found) read() {
	ctx := f.Context()
	n := must[servicediscovery.GetNamespaceOutput](f.T)(f.GetNamespace(ctx, &servicediscovery.GetNamespaceInput{Id: f.namespace})).Namespace
	tags := must[servicediscovery.ListTagsForResourceOutput](f.T)(f.ListTagsForResource(ctx, &servicediscovery.ListTagsForResourceInput{ResourceARN: n.Arn})).Tags
	if aws.ToString(n.Properties.DnsProperties.HostedZoneId) == "" || aws.ToString(n.Description) != "made" || len(tags) != 1 || n.Type != types.NamespaceTypeDnsPrivate {
		f.Errorf("%+v, tags %+v", n, tags)
	}
	s := must[servicediscovery.GetServiceOutput](f.T)(f.GetService(ctx, &servicediscovery.GetServiceInput{Id: f.service})).Service
	if len(s.DnsConfig.DnsRecords) != 2 || s.DnsConfig.RoutingPolicy != types.RoutingPolicyMultivalue || s.HealthCheckCustomConfig == nil || s.HealthCheckConfig != nil {
		f.Errorf("%+v", s)
	}
	i := must[servicediscovery.GetInstanceOutput](f.T)(f.GetInstance(ctx, &servicediscovery.GetInstanceInput{ServiceId: f.service, InstanceId: aws.String("one")})).Instance
	if i.Attributes["AWS_INSTANCE_IPV4"] != "10.66.0.9" || len(i.Attributes) != 2 {
		f.Errorf("%+v", i)
	}
	list := must[servicediscovery.ListNamespacesOutput](f.T)(f.ListNamespaces(ctx, &servicediscovery.ListNamespacesInput{Filters: []types.NamespaceFilter{
		{Name: types.NamespaceFilterNameType, Condition: types.FilterConditionEq, Values: []string{"DNS_PRIVATE"}},
		{Name: types.NamespaceFilterNameName, Values: []string{"terraform.internal"}}}}))
	if len(list.Namespaces) != 1 || aws.ToString(list.Namespaces[0].Id) != *f.namespace {
		f.Errorf("%+v", list.Namespaces)
	}
	d := must[servicediscovery.DiscoverInstancesOutput](f.T)(f.DiscoverInstances(ctx, &servicediscovery.DiscoverInstancesInput{
		NamespaceName: aws.String("terraform.internal"), ServiceName: aws.String("backend"), QueryParameters: map[string]string{"AWS_INSTANCE_PORT": "8080"}}))
	if len(d.Instances) != 1 || d.Instances[0].HealthStatus != types.HealthStatusHealthy || aws.ToInt64(d.InstancesRevision) == 0 {
		f.Errorf("%+v", d)
	}
}

func (f *found) change() {
	ctx := f.Context()
	u := must[servicediscovery.UpdateServiceOutput](f.T)(f.UpdateService(ctx, &servicediscovery.UpdateServiceInput{Id: f.service, Service: &types.ServiceChange{
		Description: aws.String("changed"), DnsConfig: &types.DnsConfigChange{DnsRecords: []types.DnsRecord{
			{Type: types.RecordTypeA, TTL: aws.Int64(5)}, {Type: types.RecordTypeSrv, TTL: aws.Int64(5)}}}}}))
	f.ends(u.OperationId, types.OperationStatusSuccess)
	n := must[servicediscovery.UpdatePrivateDnsNamespaceOutput](f.T)(f.UpdatePrivateDnsNamespace(ctx, &servicediscovery.UpdatePrivateDnsNamespaceInput{
		Id: f.namespace, UpdaterRequestId: aws.String("terraform-4"), Namespace: &types.PrivateDnsNamespaceChange{Description: aws.String("changed")}}))
	f.ends(n.OperationId, types.OperationStatusSuccess)
	if _, err := f.UpdateInstanceCustomHealthStatus(ctx, &servicediscovery.UpdateInstanceCustomHealthStatusInput{
		ServiceId: f.service, InstanceId: aws.String("one"), Status: types.CustomHealthStatusUnhealthy}); err != nil {
		f.Error(err)
	}
	h := must[servicediscovery.GetInstancesHealthStatusOutput](f.T)(f.GetInstancesHealthStatus(ctx, &servicediscovery.GetInstancesHealthStatusInput{ServiceId: f.service}))
	if h.Status["one"] != types.HealthStatusUnhealthy {
		f.Errorf("%+v", h.Status)
	}
}

func (f *found) readZone() {
	ctx, c := f.Context(), zones()
	named := must[route53.ListHostedZonesByNameOutput](f.T)(c.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String("terraform.internal.")}))
	if len(named.HostedZones) == 0 || aws.ToString(named.HostedZones[0].Name) != "terraform.internal." {
		f.Fatalf("%+v", named.HostedZones)
	}
	id := named.HostedZones[0].Id
	z := must[route53.GetHostedZoneOutput](f.T)(c.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: id}))
	if !z.HostedZone.Config.PrivateZone || len(z.VPCs) != 1 || aws.ToString(z.VPCs[0].VPCId) != *f.vpc {
		f.Errorf("%+v %+v", z.HostedZone, z.VPCs)
	}
	records := must[route53.ListResourceRecordSetsOutput](f.T)(c.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: id})).ResourceRecordSets
	kinds := map[r53.RRType]int{}
	for _, r := range records {
		kinds[r.Type]++
	}
	if kinds[r53.RRTypeNs] != 1 || kinds[r53.RRTypeSoa] != 1 || kinds[r53.RRTypeA] != 2 || kinds[r53.RRTypeSrv] != 1 {
		f.Errorf("%+v", kinds)
	}
	bare := strings.TrimPrefix(*id, "/hostedzone/")
	must[route53.ListTagsForResourceOutput](f.T)(c.ListTagsForResource(ctx, &route53.ListTagsForResourceInput{ResourceType: r53.TagResourceTypeHostedzone, ResourceId: &bare}))
	_, err := c.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: aws.String("Z00000000000000000000")})
	refuses(f.T, "NoSuchHostedZone", err)
}

func (f *found) destroy() {
	ctx := f.Context()
	_, err := f.DeleteService(ctx, &servicediscovery.DeleteServiceInput{Id: f.service})
	refuses(f.T, "ResourceInUse", err)
	_, err = f.DeleteNamespace(ctx, &servicediscovery.DeleteNamespaceInput{Id: f.namespace})
	refuses(f.T, "ResourceInUse", err)
	gone := must[servicediscovery.DeregisterInstanceOutput](f.T)(f.DeregisterInstance(ctx, &servicediscovery.DeregisterInstanceInput{ServiceId: f.service, InstanceId: aws.String("one")}))
	f.ends(gone.OperationId, types.OperationStatusSuccess)
	must[servicediscovery.DeleteServiceOutput](f.T)(f.DeleteService(ctx, &servicediscovery.DeleteServiceInput{Id: f.service}))
	_, err = f.GetService(ctx, &servicediscovery.GetServiceInput{Id: f.service})
	refuses(f.T, "ServiceNotFound", err)
	left := must[servicediscovery.DeleteNamespaceOutput](f.T)(f.DeleteNamespace(ctx, &servicediscovery.DeleteNamespaceInput{Id: f.namespace}))
	f.ends(left.OperationId, types.OperationStatusSuccess)
	_, err = f.GetNamespace(ctx, &servicediscovery.GetNamespaceInput{Id: f.namespace})
	refuses(f.T, "NamespaceNotFound", err)
	must[ec2.DeleteVpcOutput](f.T)(region.EC2().DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: f.vpc}))
}

// The AWS CLI with nothing but `berth env`: DiscoverInstances goes where everything else does.
func TestCLIDiscovers(t *testing.T) {
	t.Parallel()
	out := shell(t, `
operation=$(aws servicediscovery create-http-namespace --name cli --query OperationId --output text)
until [ "$(aws servicediscovery get-operation --operation-id "$operation" --query Operation.Status --output text)" = SUCCESS ]; do :; done
namespace=$(aws servicediscovery get-operation --operation-id "$operation" --query Operation.Targets.NAMESPACE --output text)
service=$(aws servicediscovery create-service --name web --namespace-id "$namespace" --query Service.Id --output text)
aws servicediscovery register-instance --service-id "$service" --instance-id a/1 --attributes AWS_INSTANCE_IPV4=192.0.2.1,color=blue >/dev/null
until found=$(aws servicediscovery discover-instances --namespace-name cli --service-name web --query-parameters color=blue) && [ "$(jq '.Instances | length' <<<"$found")" = 1 ]; do :; done
jq -c '.Instances[0] | [.InstanceId, .HealthStatus, .Attributes.AWS_INSTANCE_IPV4]' <<<"$found"
`)
	if out != `["a/1","UNKNOWN","192.0.2.1"]` {
		t.Error(out)
	}
}

// Terraform makes one of each resource about Cloud Map, finds nothing to change, changes what can be changed, again finds nothing, and destroys
// everything.
func TestTerraformDiscoversItself(t *testing.T) {
	w := newWorkshop(t, "discovery")
	done := []int{0}
	w.terraform(done, "init", "-no-color")
	for _, version := range []string{"v=1", "v=2"} {
		w.terraform(done, "apply", "-no-color", "-auto-approve", "-var", version)
		w.terraform(done, "plan", "-no-color", "-detailed-exitcode", "-var", version) // 2: there is something to do
	}
	var said map[string]struct{ Value any }
	if err := json.Unmarshal([]byte(w.terraform(done, "output", "-json")), &said); err != nil || said["zones"].Value != "terraform.internal true 4" || said["found"].Value != "true MULTIVALUE" {
		t.Errorf("%+v %v", said, err)
	}
	w.terraform(done, "destroy", "-no-color", "-auto-approve", "-var", "v=2")
	left := must[servicediscovery.ListNamespacesOutput](t)(region.Discovery().ListNamespaces(t.Context(), &servicediscovery.ListNamespacesInput{
		Filters: []types.NamespaceFilter{{Name: types.NamespaceFilterNameName, Condition: types.FilterConditionBeginsWith, Values: []string{"terraform"}}}}))
	if len(left.Namespaces) != 0 {
		t.Errorf("left: %+v", left.Namespaces)
	}
}
