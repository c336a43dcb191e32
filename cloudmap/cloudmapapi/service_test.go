package cloudmapapi

import (
	"strconv"
	"testing"
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

func TestServices(t *testing.T) {
	bubble(t, func(w *world) {
		ns := w.private("example.internal", "vpc-1")
		in := &shape.CreateServiceRequest{NamespaceId: &ns, Name: aws.Ptr("Backend"), CreatorRequestId: aws.Ptr("c"), DnsConfig: dns("A", "SRV"),
			HealthCheckCustomConfig: &shape.HealthCheckCustomConfig{FailureThreshold: aws.Ptr[int32](1)}, Tags: []shape.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("v")}}}
		s := must(w, shape.OpCreateService, w.api.CreateService, in).Service
		if *s.Type != "DNS_HTTP" || *s.DnsConfig.RoutingPolicy != "MULTIVALUE" || *s.HealthCheckCustomConfig.FailureThreshold != 1 || *s.NamespaceId != ns {
			t.Errorf("%+v", s)
		}
		if again := must(w, shape.OpCreateService, w.api.CreateService, in).Service; *again.Id != *s.Id {
			t.Error("the same request makes another service")
		}
		other := *in
		other.CreatorRequestId, other.Name = nil, aws.Ptr("bACKEND")
		e := fails(w, shape.OpCreateService, w.api.CreateService, &other, "ServiceAlreadyExists: Backend")
		if e.Members["ServiceId"] != *s.Id || e.Members["ServiceArn"] != *s.Arn {
			t.Errorf("%+v", e)
		}
		fails(w, shape.OpCreateService, w.api.CreateService, &shape.CreateServiceRequest{Name: aws.Ptr("x")}, "InvalidInput: namespace id cannot be null")
		fails(w, shape.OpCreateService, w.api.CreateService, &shape.CreateServiceRequest{Name: aws.Ptr("x"), NamespaceId: aws.Ptr("ns-x")}, "NamespaceNotFound: ns-x")

		change := &shape.UpdateServiceRequest{Id: s.Id, Service: &shape.ServiceChange{Description: aws.Ptr("new"), DnsConfig: &shape.DnsConfigChange{
			DnsRecords: []shape.DnsRecord{{Type: aws.Ptr("A"), TTL: aws.Ptr[int64](5)}, {Type: aws.Ptr("SRV"), TTL: aws.Ptr[int64](6)}}}}}
		w.done(must(w, shape.OpUpdateService, w.api.UpdateService, change).OperationId, "SUCCESS")
		got := must(w, shape.OpGetService, w.api.GetService, &shape.GetServiceRequest{Id: s.Arn}).Service
		if *got.Description != "new" || *got.DnsConfig.DnsRecords[1].TTL != 6 || got.HealthCheckCustomConfig == nil {
			t.Errorf("%+v", got)
		}
		change.Service.DnsConfig = &shape.DnsConfigChange{DnsRecords: dns("A", "AAAA").DnsRecords}
		fails(w, shape.OpUpdateService, w.api.UpdateService, change, "InvalidInput: cannot be changed")
		must(w, shape.OpDeleteService, w.api.DeleteService, &shape.DeleteServiceRequest{Id: s.Id})
		fails(w, shape.OpGetService, w.api.GetService, &shape.GetServiceRequest{Id: s.Id}, "ServiceNotFound: "+*s.Id)
		if again := must(w, shape.OpCreateService, w.api.CreateService, in).Service; *again.Id == *s.Id {
			t.Error("a deleted service is answered")
		}
	})
}

func TestListingServices(t *testing.T) {
	bubble(t, func(w *world) {
		one, two := w.http("one"), w.http("two")
		for _, name := range []string{"a", "b", "A"} { // case tells names apart where DNS does not answer
			w.service(one, name)
		}
		w.service(two, "c")
		list := func(filters ...shape.ServiceFilter) string {
			var names []string
			for _, s := range must(w, shape.OpListServices, w.api.ListServices, &shape.ListServicesRequest{Filters: filters}).Services {
				names = append(names, *s.Name)
			}
			return sorted(names)
		}
		if got := list(); got != "A, a, b, c" {
			t.Error(got)
		}
		for _, v := range []string{one, here.ARN("namespace", one)} {
			if got := list(shape.ServiceFilter{Name: aws.Ptr("NAMESPACE_ID"), Values: []string{v}}); got != "A, a, b" {
				t.Error(got)
			}
		}
		if got := list(shape.ServiceFilter{Name: aws.Ptr("RESOURCE_OWNER"), Values: []string{"OTHER_ACCOUNTS"}}); got != "" {
			t.Error(got)
		}
	})
}

func TestAttributesOfServices(t *testing.T) {
	bubble(t, func(w *world) {
		s := w.service(w.http("web"), "backend")
		many := map[string]string{}
		for i := range 30 {
			many[strconv.Itoa(i)] = "v"
		}
		must(w, shape.OpUpdateServiceAttributes, w.api.UpdateServiceAttributes, &shape.UpdateServiceAttributesRequest{ServiceId: s.Id, Attributes: many})
		fails(w, shape.OpUpdateServiceAttributes, w.api.UpdateServiceAttributes,
			&shape.UpdateServiceAttributesRequest{ServiceId: s.Id, Attributes: map[string]string{"one": "more"}}, "ServiceAttributesLimitExceededException: 30")
		must(w, shape.OpDeleteServiceAttributes, w.api.DeleteServiceAttributes, &shape.DeleteServiceAttributesRequest{ServiceId: s.Arn, Attributes: []string{"0", "none"}})
		got := must(w, shape.OpGetServiceAttributes, w.api.GetServiceAttributes, &shape.GetServiceAttributesRequest{ServiceId: s.Id}).ServiceAttributes
		if len(got.Attributes) != 29 || *got.ServiceArn != *s.Arn {
			t.Errorf("%+v", got)
		}
	})
}

func TestTags(t *testing.T) {
	bubble(t, func(w *world) {
		s := w.service(w.http("web"), "backend")
		tag := func(k string) []shape.Tag { return []shape.Tag{{Key: &k, Value: aws.Ptr("v")}} }
		must(w, shape.OpTagResource, w.api.TagResource, &shape.TagResourceRequest{ResourceARN: s.Arn, Tags: tag("a")})
		must(w, shape.OpTagResource, w.api.TagResource, &shape.TagResourceRequest{ResourceARN: s.Arn, Tags: tag("b")})
		must(w, shape.OpUntagResource, w.api.UntagResource, &shape.UntagResourceRequest{ResourceARN: s.Arn, TagKeys: []string{"a", "none"}})
		got := must(w, shape.OpListTagsForResource, w.api.ListTagsForResource, &shape.ListTagsForResourceRequest{ResourceARN: s.Arn}).Tags
		if len(got) != 1 || *got[0].Key != "b" {
			t.Errorf("%+v", got)
		}
		fails(w, shape.OpTagResource, w.api.TagResource, &shape.TagResourceRequest{ResourceARN: s.Arn, Tags: tag("aws:x")}, "InvalidInput: reserved")
		fails(w, shape.OpTagResource, w.api.TagResource, &shape.TagResourceRequest{ResourceARN: s.Id, Tags: tag("x")}, "ResourceNotFoundException: "+*s.Id)
		var many []shape.Tag
		for i := range 50 {
			many = append(many, tag(strconv.Itoa(i))...)
		}
		fails(w, shape.OpTagResource, w.api.TagResource, &shape.TagResourceRequest{ResourceARN: s.Arn, Tags: many}, "TooManyTagsException: 50")
	})
}

func TestToldHealth(t *testing.T) {
	bubble(t, func(w *world) {
		ns := w.http("web")
		in := &shape.CreateServiceRequest{NamespaceId: &ns, Name: aws.Ptr("slow"), HealthCheckCustomConfig: &shape.HealthCheckCustomConfig{FailureThreshold: aws.Ptr[int32](2)}}
		slow, quick := must(w, shape.OpCreateService, w.api.CreateService, in).Service, w.service(ns, "quick")
		tell := func(s *shape.Service, status string) {
			must(w, shape.OpUpdateInstanceCustomHealthStatus, w.api.UpdateInstanceCustomHealthStatus,
				&shape.UpdateInstanceCustomHealthStatusRequest{ServiceId: s.Id, InstanceId: aws.Ptr("a"), Status: &status})
		}
		is := func(s *shape.Service, want string) {
			t.Helper()
			got := must(w, shape.OpGetInstancesHealthStatus, w.api.GetInstancesHealthStatus, &shape.GetInstancesHealthStatusRequest{ServiceId: s.Id}).Status["a"]
			if got != want {
				t.Errorf("%s: %s, want %s", *s.Name, got, want)
			}
		}
		w.register(slow.Id, "a", "k", "v")
		w.register(quick.Id, "a", "AWS_INIT_HEALTH_STATUS", "UNHEALTHY")
		is(quick, "UNHEALTHY")
		tell(quick, "HEALTHY")
		is(quick, "HEALTHY")
		tell(slow, "UNHEALTHY")
		time.Sleep(58 * time.Second)
		settle()
		is(slow, "HEALTHY")
		time.Sleep(2 * time.Second)
		settle()
		is(slow, "UNHEALTHY")
		tell(slow, "HEALTHY")
		time.Sleep(30 * time.Second)
		tell(slow, "UNHEALTHY") // taken back
		time.Sleep(time.Hour)
		settle()
		is(slow, "UNHEALTHY")
		fails(w, shape.OpUpdateInstanceCustomHealthStatus, w.api.UpdateInstanceCustomHealthStatus,
			&shape.UpdateInstanceCustomHealthStatusRequest{ServiceId: slow.Id, InstanceId: aws.Ptr("b"), Status: aws.Ptr("HEALTHY")}, "InstanceNotFound: b")
	})
}
