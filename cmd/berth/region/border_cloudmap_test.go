package region

import (
	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// discovery gives somebody what operations of Cloud Map and Route 53 can be about, with a word in all of it: a namespace of each kind with a service, one of
// them with an instance, and an operation.
func (w *world) discovery(who ecs.Home, word string) aim {
	w.Helper()
	h := cloudmap.Home{Account: who.Account, Region: who.Region}
	found := aim{}
	w.update(func(tx store.Tx) {
		for _, kind := range []string{"HTTP", "DNS_PRIVATE", "DNS_PUBLIC"} {
			n := &cloudmap.Namespace{Home: h, ID: cloudmap.NamespaceID(tx.NewID()), Name: "blue", Type: kind, Description: word}
			if kind == "DNS_PRIVATE" {
				n.VPC, n.Zone = "vpc-00000000000000001", cloudmap.ZoneID(tx.NewID())
				found["zone"] = n.Zone
			}
			if err := tables.TakeNames(tx, n); err != nil {
				w.Fatal(err)
			}
			tables.Namespaces.Put(tx, n)
			tables.PutTags(tx, &cloudmap.Tags{Home: h, Resource: n.ID, Pairs: []cloudmap.Pair{{Key: "word", Value: word}}})
			found[kind] = n.ID
		}
		n, _ := tables.Namespaces.Get(tx, tables.Key(h, found["HTTP"].(string)))
		for _, name := range []string{"web", "empty"} {
			s := &cloudmap.Service{Home: h, ID: cloudmap.ServiceID(tx.NewID()), Namespace: n.ID, Name: name, Type: "HTTP", Description: word, Custom: &cloudmap.Custom{}}
			if err := tables.TakeName(tx, n, s); err != nil {
				w.Fatal(err)
			}
			tables.Services.Put(tx, s)
			tables.PutTags(tx, &cloudmap.Tags{Home: h, Resource: s.ID, Pairs: []cloudmap.Pair{{Key: "word", Value: word}}})
			tables.Attributes.Put(tx, &cloudmap.Attributes{Home: h, Service: s.ID, Values: map[string]string{"word": word}})
			found[name] = s.ID
		}
		private, _ := tables.Namespaces.Get(tx, tables.Key(h, found["DNS_PRIVATE"].(string)))
		named := &cloudmap.Service{Home: h, ID: cloudmap.ServiceID(tx.NewID()), Namespace: private.ID, Name: "web", Type: "HTTP", Description: word}
		if err := tables.TakeName(tx, private, named); err != nil {
			w.Fatal(err)
		}
		tables.Services.Put(tx, named)
		found["named"] = named.ID
		if _, err := tables.RegisterInstance(tx, tables.Registration{Home: h, Service: found["web"].(string), Instance: "one", Attributes: map[string]string{"word": word}}); err != nil {
			w.Fatal(err)
		}
		o := &cloudmap.Operation{Home: h, ID: cloudmap.OperationID(tx.NewID(), tx.Now()), Type: word, CreatedAt: tx.Now(), Namespace: n.ID}
		tables.Operations.Put(tx, o)
		found["operation"] = o.ID
	})
	return found
}

// discoveryAims name a thing of each kind, in short and in long, and by the account that has it.
func (w *world) discoveryAims(operation string) []aim {
	f := w.found
	web, namespace := f["web"], f["HTTP"]
	switch operation {
	case "DeleteService":
		web = f["empty"]
	case "UpdateService":
		web = f["named"]
	case "DeleteNamespace", "UpdatePublicDnsNamespace":
		namespace = f["DNS_PUBLIC"]
	case "UpdatePrivateDnsNamespace":
		namespace = f["DNS_PRIVATE"]
	}
	h := cloudmap.Home{Account: owner.Account, Region: owner.Region}
	var all []aim
	for _, long := range []bool{false, true} {
		s, n := web, namespace
		if long {
			s, n = h.ARN("service", web.(string)), h.ARN("namespace", namespace.(string))
		}
		for _, id := range []any{s, n} {
			all = append(all, aim{"id": id, "serviceid": s, "namespaceid": n, "instanceid": "one", "operationid": f["operation"], "namespacename": "blue",
				"servicename": "web", "resourcearn": h.ARN("service", web.(string)), "name": "new", "tagkey": []any{"word"}, "healthstatus": "ALL"},
				aim{"id": id, "operationid": f["operation"], "owneraccount": owner.Account, "namespacename": "blue", "servicename": "web", "name": "new",
					"serviceid": s, "instanceid": "one", "instance": "one", "namespaceid": n, "resourcearn": h.ARN("namespace", namespace.(string))})
		}
	}
	return all
}

// discoverySpecial are members that an operation needs beside what it is about.
var discoverySpecial = map[string]aim{
	"CreatePrivateDnsNamespace":        {"vpc": "vpc-00000000000000001"},
	"CreatePublicDnsNamespace":         {"name": "new.example"},
	"ListServices":                     {"namespaceid": nil},
	"RegisterInstance":                 {"instanceid": "two", "attribute": map[string]any{"word": "stolen"}},
	"DeleteServiceAttributes":          {"attribute": []any{"word"}},
	"UpdateServiceAttributes":          {"attribute": map[string]any{"word": "stolen"}},
	"UpdateInstanceCustomHealthStatus": {"statu": "UNHEALTHY"},
	"TagResource":                      {"tag": []any{map[string]any{"Key": "word", "Value": "stolen"}}},
	"UpdateHttpNamespace":              {"namespace": map[string]any{"Description": "stolen"}},
	"UpdatePrivateDnsNamespace":        {"namespace": map[string]any{"Description": "stolen"}},
	"UpdatePublicDnsNamespace":         {"namespace": map[string]any{"Description": "stolen"}},
	"UpdateService":                    {"service": map[string]any{"Description": "stolen"}},
}
