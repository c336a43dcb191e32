package cloudmapapi

import (
	"fmt"
	"strconv"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

func TestInstances(t *testing.T) {
	bubble(t, func(w *world) {
		ns := w.private("example.internal", "vpc-1")
		s := w.service(ns, "backend", "A")
		in := &shape.RegisterInstanceRequest{ServiceId: s.Arn, InstanceId: aws.Ptr("i/1"), CreatorRequestId: aws.Ptr("c"), Attributes: map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.1"}}
		out := must(w, shape.OpRegisterInstance, w.api.RegisterInstance, in)
		o := w.done(out.OperationId, "SUCCESS")
		if o.Targets["INSTANCE"] != "i/1" || o.Targets["SERVICE"] != *s.Id {
			t.Errorf("%+v", o.Targets)
		}
		got := must(w, shape.OpGetInstance, w.api.GetInstance, &shape.GetInstanceRequest{ServiceId: s.Id, InstanceId: aws.Ptr("i/1")}).Instance
		if *got.CreatorRequestId != "c" || got.Attributes["AWS_INSTANCE_IPV4"] != "10.0.0.1" {
			t.Errorf("%+v", got)
		}
		fails(w, shape.OpDeleteService, w.api.DeleteService, &shape.DeleteServiceRequest{Id: s.Id}, "ResourceInUse: "+*s.Id)
		bad := *in
		bad.CreatorRequestId, bad.Attributes = nil, map[string]string{"AWS_INSTANCE_PORT": "80"}
		fails(w, shape.OpRegisterInstance, w.api.RegisterInstance, &bad, "InvalidInput: AWS_INSTANCE_IPV4 is required")
		named := w.service(ns, "named", "SRV")
		fails(w, shape.OpRegisterInstance, w.api.RegisterInstance, &shape.RegisterInstanceRequest{ServiceId: named.Id, InstanceId: aws.Ptr("a..b"),
			Attributes: map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "80"}}, "InvalidInput: a..b")
		gone := must(w, shape.OpDeregisterInstance, w.api.DeregisterInstance, &shape.DeregisterInstanceRequest{ServiceId: s.Id, InstanceId: aws.Ptr("i/1")})
		w.done(gone.OperationId, "SUCCESS")
		fails(w, shape.OpDeregisterInstance, w.api.DeregisterInstance, &shape.DeregisterInstanceRequest{ServiceId: s.Id, InstanceId: aws.Ptr("i/1")}, "InstanceNotFound: i/1")
		fails(w, shape.OpGetInstance, w.api.GetInstance, &shape.GetInstanceRequest{ServiceId: aws.Ptr("srv-x"), InstanceId: aws.Ptr("i/1")}, "ServiceNotFound: srv-x")
	})
}

func TestMachinesAndCheckedInstances(t *testing.T) {
	bubble(t, func(w *world) {
		ns := w.http("web")
		s := w.service(ns, "backend")
		w.register(s.Id, "m", "AWS_EC2_INSTANCE_ID", "i-0123456789abcdef0")
		got := must(w, shape.OpGetInstance, w.api.GetInstance, &shape.GetInstanceRequest{ServiceId: s.Id, InstanceId: aws.Ptr("m")}).Instance
		if got.Attributes["AWS_INSTANCE_IPV4"] != "10.0.0.7" {
			t.Errorf("%+v", got.Attributes)
		}
		try := func(s *shape.Service, attributes map[string]string, want string) {
			t.Helper()
			fails(w, shape.OpRegisterInstance, w.api.RegisterInstance, &shape.RegisterInstanceRequest{ServiceId: s.Id, InstanceId: aws.Ptr("n"), Attributes: attributes}, want)
		}
		try(s, map[string]string{"AWS_EC2_INSTANCE_ID": "i-1"}, "InvalidInput: 'i-1' does not exist")
		try(s, map[string]string{"AWS_EC2_INSTANCE_ID": "i-0123456789abcdef0", "AWS_INSTANCE_IPV4": "10.0.0.1"}, "InvalidInput: must not be set together")
		checked := must(w, shape.OpCreateService, w.api.CreateService, &shape.CreateServiceRequest{NamespaceId: &ns, Name: aws.Ptr("checked"),
			HealthCheckConfig: &shape.HealthCheckConfig{Type: aws.Ptr("TCP")}}).Service
		try(checked, map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "1"}, "InvalidInput: public addresses only")
		fails(w, shape.OpUpdateInstanceCustomHealthStatus, w.api.UpdateInstanceCustomHealthStatus,
			&shape.UpdateInstanceCustomHealthStatusRequest{ServiceId: checked.Id, InstanceId: aws.Ptr("n"), Status: aws.Ptr("HEALTHY")}, "InstanceNotFound: n")
	})
}

func TestPagesOfInstances(t *testing.T) {
	bubble(t, func(w *world) {
		s := w.service(w.http("web"), "backend")
		for i := range 5 {
			w.register(s.Id, fmt.Sprintf("i%d", i), "n", strconv.Itoa(i))
		}
		var ids []string
		in := &shape.ListInstancesRequest{ServiceId: s.Id, MaxResults: aws.Ptr[int32](2)}
		for more := true; more; more = in.NextToken != nil {
			out := must(w, shape.OpListInstances, w.api.ListInstances, in)
			for _, i := range out.Instances {
				ids = append(ids, *i.Id)
			}
			in.NextToken = out.NextToken
		}
		if got := sorted(ids); got != "i0, i1, i2, i3, i4" {
			t.Error(got)
		}
		health := &shape.GetInstancesHealthStatusRequest{ServiceId: s.Id, Instances: []string{"i3", "i1", "i3", "i4"}, MaxResults: aws.Ptr[int32](2)}
		first := must(w, shape.OpGetInstancesHealthStatus, w.api.GetInstancesHealthStatus, health)
		health.NextToken = first.NextToken
		second := must(w, shape.OpGetInstancesHealthStatus, w.api.GetInstancesHealthStatus, health)
		if len(first.Status) != 2 || len(second.Status) != 1 || second.Status["i4"] != "HEALTHY" || second.NextToken != nil {
			t.Errorf("%+v, %+v", first, second)
		}
		fails(w, shape.OpGetInstancesHealthStatus, w.api.GetInstancesHealthStatus, &shape.GetInstancesHealthStatusRequest{ServiceId: s.Id, Instances: []string{"x"}}, "InstanceNotFound: x")
	})
}

func TestDiscovering(t *testing.T) {
	bubble(t, func(w *world) {
		ns := w.private("example.internal", "vpc-1")
		told, plain := w.service(ns, "told", "A"), must(w, shape.OpCreateService, w.api.CreateService,
			&shape.CreateServiceRequest{NamespaceId: &ns, Name: aws.Ptr("plain"), DnsConfig: dns("A")}).Service
		for i, color := range []string{"red", "red", "blue"} {
			w.register(told.Id, fmt.Sprintf("i%d", i), "AWS_INSTANCE_IPV4", "10.0.0.1", "color", color, "n", strconv.Itoa(i))
		}
		w.register(plain.Id, "p", "AWS_INSTANCE_IPV4", "10.0.0.1")
		tell := func(id, status string) {
			must(w, shape.OpUpdateInstanceCustomHealthStatus, w.api.UpdateInstanceCustomHealthStatus,
				&shape.UpdateInstanceCustomHealthStatusRequest{ServiceId: told.Id, InstanceId: &id, Status: &status})
		}
		ask := func(service, filter string) *shape.DiscoverInstancesRequest {
			in := &shape.DiscoverInstancesRequest{NamespaceName: aws.Ptr("example.internal"), ServiceName: &service}
			if filter != "" {
				in.HealthStatus = &filter
			}
			return in
		}
		is := func(in *shape.DiscoverInstancesRequest, want string) {
			t.Helper()
			if got := w.found(in); got != want {
				t.Errorf("found %s, want %s", got, want)
			}
		}
		tell("i1", "UNHEALTHY")
		is(ask("told", ""), "i0 HEALTHY, i2 HEALTHY")
		is(ask("told", "HEALTHY"), "i0 HEALTHY, i2 HEALTHY")
		is(ask("told", "UNHEALTHY"), "i1 UNHEALTHY")
		is(ask("told", "ALL"), "i0 HEALTHY, i1 UNHEALTHY, i2 HEALTHY")
		is(ask("plain", "UNHEALTHY"), "p UNKNOWN")
		in := ask("told", "ALL")
		in.QueryParameters = map[string]string{"color": "red"}
		is(in, "i0 HEALTHY, i1 UNHEALTHY")
		in.OptionalParameters = map[string]string{"n": "1"}
		is(in, "i1 UNHEALTHY")
		in.OptionalParameters = map[string]string{"n": "2"}
		is(in, "i0 HEALTHY, i1 UNHEALTHY")
		in.QueryParameters["color"] = "green"
		is(in, "")
		in = ask("told", "ALL")
		in.MaxResults = aws.Ptr[int32](2)
		if got := len(must(w, shape.OpDiscoverInstances, w.api.DiscoverInstances, in).Instances); got != 2 {
			t.Errorf("%d of at most 2", got)
		}
		tell("i0", "UNHEALTHY")
		tell("i2", "UNHEALTHY")
		is(ask("told", "HEALTHY"), "")
		is(ask("told", "HEALTHY_OR_ELSE_ALL"), "i0 UNHEALTHY, i1 UNHEALTHY, i2 UNHEALTHY")

		revision := func() int64 {
			return *must(w, shape.OpDiscoverInstancesRevision, w.api.DiscoverInstancesRevision,
				&shape.DiscoverInstancesRevisionRequest{NamespaceName: aws.Ptr("example.internal"), ServiceName: aws.Ptr("told")}).InstancesRevision
		}
		before := revision()
		if got := *must(w, shape.OpDiscoverInstances, w.api.DiscoverInstances, in).InstancesRevision; got != before {
			t.Errorf("two revisions: %d, %d", got, before)
		}
		tell("i0", "HEALTHY")
		if revision() != before {
			t.Error("health makes a revision")
		}
		must(w, shape.OpDeregisterInstance, w.api.DeregisterInstance, &shape.DeregisterInstanceRequest{ServiceId: told.Id, InstanceId: aws.Ptr("i0")})
		settle()
		if revision() <= before {
			t.Error("the revision does not grow")
		}
		fails(w, shape.OpDiscoverInstances, w.api.DiscoverInstances, ask("none", ""), "ServiceNotFound: none")
		elsewhere := ask("told", "")
		elsewhere.OwnerAccount = aws.Ptr("111111111111")
		fails(w, shape.OpDiscoverInstances, w.api.DiscoverInstances, elsewhere, "NamespaceNotFound: example.internal")
		elsewhere = ask("told", "")
		elsewhere.NamespaceName = aws.Ptr("none/at all")
		fails(w, shape.OpDiscoverInstances, w.api.DiscoverInstances, elsewhere, "NamespaceNotFound: none")
	})
}
