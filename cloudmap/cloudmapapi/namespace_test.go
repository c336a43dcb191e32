package cloudmapapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

func sorted(all []string) string {
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func TestLifeOfAnOperation(t *testing.T) {
	bubble(t, func(w *world) {
		in := &shape.CreateHttpNamespaceRequest{Name: aws.Ptr("web"), CreatorRequestId: aws.Ptr("once"), Description: aws.Ptr("d"),
			Tags: []shape.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("v")}}}
		id := must(w, shape.OpCreateHttpNamespace, w.api.CreateHttpNamespace, in).OperationId
		o := w.done(id, "SUCCESS")
		if *o.Type != "CREATE_NAMESPACE" || o.UpdateDate.Before(o.CreateDate.Time) || *o.OwnerAccount != here.Account {
			t.Errorf("%+v", o)
		}
		ns := o.Targets["NAMESPACE"]
		n := must(w, shape.OpGetNamespace, w.api.GetNamespace, &shape.GetNamespaceRequest{Id: &ns}).Namespace
		if *n.Name != "web" || *n.Type != "HTTP" || *n.Properties.HttpProperties.HttpName != "web" || *n.CreatorRequestId != "once" || *n.ServiceCount != 0 {
			t.Errorf("%+v", n)
		}
		if again := must(w, shape.OpCreateHttpNamespace, w.api.CreateHttpNamespace, in).OperationId; *again != *id {
			t.Error("the same request makes another operation")
		}
		tags := must(w, shape.OpListTagsForResource, w.api.ListTagsForResource, &shape.ListTagsForResourceRequest{ResourceARN: n.Arn}).Tags
		if len(tags) != 1 || *tags[0].Key != "k" {
			t.Errorf("tags %+v", tags)
		}
		other := *in
		other.Name = aws.Ptr("another")
		e := fails(w, shape.OpCreateHttpNamespace, w.api.CreateHttpNamespace, &other, "DuplicateRequest: once")
		if e.Members["DuplicateOperationId"] != *id {
			t.Errorf("%+v", e)
		}
		e = fails(w, shape.OpCreateHttpNamespace, w.api.CreateHttpNamespace, &shape.CreateHttpNamespaceRequest{Name: aws.Ptr("web")}, "NamespaceAlreadyExists: web")
		if e.Members["NamespaceId"] != ns || e.Members["CreatorRequestId"] != "once" {
			t.Errorf("%+v", e)
		}
		time.Sleep(25 * time.Hour)
		settle()
		fails(w, shape.OpGetOperation, w.api.GetOperation, &shape.GetOperationRequest{OperationId: id}, "OperationNotFound: "+*id)
		must(w, shape.OpCreateHttpNamespace, w.api.CreateHttpNamespace, &other) // the CreatorRequestId is forgotten too
	})
}

func TestPrivateNamespaces(t *testing.T) {
	bubble(t, func(w *world) {
		first := w.private("Example.internal", "vpc-1")
		fails(w, shape.OpCreatePrivateDnsNamespace, w.api.CreatePrivateDnsNamespace,
			&shape.CreatePrivateDnsNamespaceRequest{Name: aws.Ptr("example.internal"), Vpc: aws.Ptr("vpc-1")}, "NamespaceAlreadyExists: Example.internal")
		fails(w, shape.OpCreatePrivateDnsNamespace, w.api.CreatePrivateDnsNamespace,
			&shape.CreatePrivateDnsNamespaceRequest{Name: aws.Ptr("a..b"), Vpc: aws.Ptr("vpc-1")}, "InvalidInput: valid domain")
		second := w.private("Example.internal", "vpc-2")
		n := must(w, shape.OpGetNamespace, w.api.GetNamespace, &shape.GetNamespaceRequest{Id: &second}).Namespace
		if !strings.HasPrefix(*n.Properties.HttpProperties.HttpName, "Example.internal-") || !strings.HasPrefix(*n.Properties.DnsProperties.HostedZoneId, "Z") {
			t.Errorf("%+v %+v", n.Properties.HttpProperties, n.Properties.DnsProperties)
		}
		out := must(w, shape.OpCreatePrivateDnsNamespace, w.api.CreatePrivateDnsNamespace,
			&shape.CreatePrivateDnsNamespaceRequest{Name: aws.Ptr("lost.internal"), Vpc: aws.Ptr("vpc-3")})
		o := w.done(out.OperationId, "FAIL")
		if *o.ErrorCode != "CANNOT_CREATE_HOSTED_ZONE" || !strings.Contains(*o.ErrorMessage, "vpc-3") {
			t.Errorf("%s: %s", *o.ErrorCode, *o.ErrorMessage)
		}
		fails(w, shape.OpGetNamespace, w.api.GetNamespace, &shape.GetNamespaceRequest{Id: aws.Ptr(o.Targets["NAMESPACE"])}, "NamespaceNotFound: ")
		w.private("lost.internal", "vpc-1")

		change := &shape.UpdatePrivateDnsNamespaceRequest{Id: &first, UpdaterRequestId: aws.Ptr("u"), Namespace: &shape.PrivateDnsNamespaceChange{
			Properties: &shape.PrivateDnsNamespacePropertiesChange{DnsProperties: &shape.PrivateDnsPropertiesMutableChange{SOA: &shape.SOAChange{TTL: aws.Ptr[int64](99)}}}}}
		w.done(must(w, shape.OpUpdatePrivateDnsNamespace, w.api.UpdatePrivateDnsNamespace, change).OperationId, "SUCCESS")
		n = must(w, shape.OpGetNamespace, w.api.GetNamespace, &shape.GetNamespaceRequest{Id: &first}).Namespace
		if *n.Properties.DnsProperties.SOA.TTL != 99 {
			t.Errorf("%+v", n.Properties.DnsProperties.SOA)
		}
		fails(w, shape.OpUpdateHttpNamespace, w.api.UpdateHttpNamespace,
			&shape.UpdateHttpNamespaceRequest{Id: &first, Namespace: &shape.HttpNamespaceChange{Description: aws.Ptr("x")}}, "InvalidInput: DNS_PRIVATE")
	})
}

func TestDeletingNamespaces(t *testing.T) {
	bubble(t, func(w *world) {
		ns := w.http("web")
		s := w.service(ns, "backend")
		arn := here.ARN("namespace", ns)
		fails(w, shape.OpDeleteNamespace, w.api.DeleteNamespace, &shape.DeleteNamespaceRequest{Id: &ns}, "ResourceInUse: "+ns)
		must(w, shape.OpDeleteService, w.api.DeleteService, &shape.DeleteServiceRequest{Id: s.Id})
		out := must(w, shape.OpDeleteNamespace, w.api.DeleteNamespace, &shape.DeleteNamespaceRequest{Id: &arn})
		w.done(out.OperationId, "SUCCESS")
		fails(w, shape.OpDeleteNamespace, w.api.DeleteNamespace, &shape.DeleteNamespaceRequest{Id: &ns}, "NamespaceNotFound: "+ns)
		w.http("web")
	})
}

func TestListingNamespaces(t *testing.T) {
	bubble(t, func(w *world) {
		for i := range 3 {
			w.http(fmt.Sprintf("web%d", i))
		}
		w.private("example.internal", "vpc-1")
		list := func(filters ...shape.NamespaceFilter) string {
			var names []string
			in := &shape.ListNamespacesRequest{Filters: filters, MaxResults: aws.Ptr[int32](2)}
			for more := true; more; more = in.NextToken != nil {
				out := must(w, shape.OpListNamespaces, w.api.ListNamespaces, in)
				for _, n := range out.Namespaces {
					names = append(names, *n.Name)
				}
				in.NextToken = out.NextToken
			}
			return sorted(names)
		}
		f := func(name, condition string, values ...string) shape.NamespaceFilter {
			c := &condition
			if condition == "" {
				c = nil
			}
			return shape.NamespaceFilter{Name: &name, Condition: c, Values: values}
		}
		for _, c := range []struct {
			want    string
			filters []shape.NamespaceFilter
		}{
			{"example.internal, web0, web1, web2", nil},
			{"example.internal", []shape.NamespaceFilter{f("TYPE", "", "DNS_PRIVATE")}},
			{"example.internal", []shape.NamespaceFilter{f("TYPE", "BEGINS_WITH", "DNS")}},
			{"web1", []shape.NamespaceFilter{f("NAME", "EQ", "web1")}},
			{"web0, web1, web2", []shape.NamespaceFilter{f("HTTP_NAME", "BEGINS_WITH", "web"), f("TYPE", "EQ", "HTTP")}},
			{"", []shape.NamespaceFilter{f("RESOURCE_OWNER", "EQ", "OTHER_ACCOUNTS")}},
			{"web0", []shape.NamespaceFilter{f("RESOURCE_OWNER", "EQ", "SELF"), f("NAME", "EQ", "web0")}},
		} {
			if got := list(c.filters...); got != c.want {
				t.Errorf("%+v: %s, want %s", c.filters, got, c.want)
			}
		}
		for _, bad := range []shape.NamespaceFilter{f("TYPE", "EQ", "HTTP", "DNS_PRIVATE"), f("NAME", "BETWEEN", "a", "b"), f("RESOURCE_OWNER", "EQ", "me"), f("RESOURCE_OWNER", "BEGINS_WITH", "SELF")} {
			fails(w, shape.OpListNamespaces, w.api.ListNamespaces, &shape.ListNamespacesRequest{Filters: []shape.NamespaceFilter{bad}}, "InvalidInput: "+*bad.Name)
		}
	})
}

func TestListingOperations(t *testing.T) {
	bubble(t, func(w *world) {
		ns := w.http("web")
		s := w.service(ns, "backend")
		begun := time.Now()
		time.Sleep(time.Hour)
		w.register(s.Id, "a", "k", "v")
		list := func(filters ...shape.OperationFilter) int {
			return len(must(w, shape.OpListOperations, w.api.ListOperations, &shape.ListOperationsRequest{Filters: filters}).Operations)
		}
		f := func(name, condition string, values ...string) shape.OperationFilter {
			return shape.OperationFilter{Name: &name, Condition: &condition, Values: values}
		}
		seconds := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
		for _, c := range []struct {
			want    int
			filters []shape.OperationFilter
		}{
			{2, nil},
			{1, []shape.OperationFilter{f("NAMESPACE_ID", "EQ", ns)}},
			{1, []shape.OperationFilter{f("SERVICE_ID", "EQ", *s.Id), f("STATUS", "IN", "PENDING", "SUCCESS")}},
			{0, []shape.OperationFilter{f("STATUS", "EQ", "FAIL")}},
			{1, []shape.OperationFilter{f("TYPE", "EQ", "REGISTER_INSTANCE")}},
			{1, []shape.OperationFilter{f("UPDATE_DATE", "BETWEEN", seconds(begun.Add(time.Minute)), seconds(begun.Add(2*time.Hour)))}},
		} {
			if got := list(c.filters...); got != c.want {
				t.Errorf("%+v: %d, want %d", c.filters, got, c.want)
			}
		}
		for _, bad := range []shape.OperationFilter{f("NAMESPACE_ID", "IN", "a"), f("UPDATE_DATE", "EQ", "1"), f("UPDATE_DATE", "BETWEEN", "a", "b")} {
			fails(w, shape.OpListOperations, w.api.ListOperations, &shape.ListOperationsRequest{Filters: []shape.OperationFilter{bad}}, "InvalidInput: "+*bad.Name)
		}
		fails(w, shape.OpGetOperation, w.api.GetOperation, &shape.GetOperationRequest{OperationId: aws.Ptr("../x")}, "OperationNotFound: x")
	})
}

// What goes on is told, and goes on under another leader.
func TestOneOperationAtATime(t *testing.T) {
	begin(t, func(w *world) {
		stop := w.lead()
		ns := w.http("web")
		s := w.service(ns, "backend")
		w.register(s.Id, "a", "k", "v")
		stop()
		in := &shape.DeregisterInstanceRequest{ServiceId: s.Id, InstanceId: aws.Ptr("a")}
		first := must(w, shape.OpDeregisterInstance, w.api.DeregisterInstance, in).OperationId
		if o := w.operation(first); *o.Status != "SUBMITTED" {
			t.Errorf("%+v", o)
		}
		e := fails(w, shape.OpDeregisterInstance, w.api.DeregisterInstance, in, "DuplicateRequest: DEREGISTER_INSTANCE")
		if e.Members["DuplicateOperationId"] != *first {
			t.Errorf("%+v", e)
		}
		other := &shape.RegisterInstanceRequest{ServiceId: s.Id, InstanceId: aws.Ptr("a"), Attributes: map[string]string{"k": "w"}}
		fails(w, shape.OpRegisterInstance, w.api.RegisterInstance, other, "DuplicateRequest: "+*first)
		other.InstanceId, other.CreatorRequestId = aws.Ptr("b"), aws.Ptr("c")
		second := must(w, shape.OpRegisterInstance, w.api.RegisterInstance, other).OperationId
		if again := must(w, shape.OpRegisterInstance, w.api.RegisterInstance, other).OperationId; *again != *second {
			t.Error("the same request makes another operation")
		}
		stop = w.lead()
		w.done(first, "SUCCESS")
		w.done(second, "SUCCESS")
		stop()
	})
}

// A namespace that got a service after its deletion was asked for stays.
func TestDeletionThatComesTooLate(t *testing.T) {
	begin(t, func(w *world) {
		stop := w.lead()
		ns := w.http("web")
		stop()
		out := must(w, shape.OpDeleteNamespace, w.api.DeleteNamespace, &shape.DeleteNamespaceRequest{Id: &ns})
		w.service(ns, "backend")
		stop = w.lead()
		if o := w.done(out.OperationId, "FAIL"); *o.ErrorCode != "INVALID_CHANGE_BATCH" || !strings.Contains(*o.ErrorMessage, "has associated services") {
			t.Errorf("%s: %s", *o.ErrorCode, *o.ErrorMessage)
		}
		stop()
	})
}
