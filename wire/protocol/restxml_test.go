package protocol

import (
	"net/http/httptest"
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/shape/route53"
)

func restRequest(method, target string) Request {
	return Request{HTTP: httptest.NewRequest(method, target, nil), ID: "request-1"}
}

func TestRestXMLRoutes(t *testing.T) {
	for target, want := range map[string]string{
		"GET /2013-04-01/hostedzone":            "ListHostedZones",
		"GET /2013-04-01/hostedzone?maxitems=1": "ListHostedZones",
		"POST /2013-04-01/hostedzone":           "CreateHostedZone",
		"GET /2013-04-01/hostedzone/Z1":         "GetHostedZone",
		"DELETE /2013-04-01/hostedzone/Z1":      "DeleteHostedZone",
		"GET /2013-04-01/hostedzone/Z1/rrset":   "ListResourceRecordSets",
		"POST /2013-04-01/hostedzone/Z1/rrset/": "ChangeResourceRecordSets",
		"GET /2013-04-01/hostedzonesbyname":     "ListHostedZonesByName",
		"GET /2013-04-01/tags/hostedzone/Z1":    "ListTagsForResource",
		"GET /2013-04-01/hostedzone//rrset":     "",
		"GET /2012-01-01/hostedzone":            "",
		"GET /":                                 "",
	} {
		method, path, _ := strings.Cut(target, " ")
		got, ok := RestXML{}.Route(&route53.Model, restRequest(method, path))
		if got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", target, got, ok, want)
		}
	}
}

func TestRestXMLDecodes(t *testing.T) {
	info, _ := route53.Model.Operation("ListResourceRecordSets")
	op := Op{&route53.Model, info}
	var in route53.ListResourceRecordSetsRequest
	if err := (RestXML{}).Decode(op, restRequest("GET", "/2013-04-01/hostedzone/Z%2F1/rrset?name=a.b&type=A&maxitems="), &in); err != nil {
		t.Fatal(err)
	}
	if aws.Val(in.HostedZoneId) != "Z/1" || aws.Val(in.StartRecordName) != "a.b" || aws.Val(in.StartRecordType) != "A" || in.MaxItems == nil || in.StartRecordIdentifier != nil {
		t.Errorf("%+v", in)
	}
	if err := (RestXML{}).Decode(op, restRequest("GET", "/2013-04-01/hostedzone/Z1/rrset?name=%zz"), &in); err == nil {
		t.Error("a broken query string is taken")
	}
	change, _ := route53.Model.Operation("ChangeTagsForResource")
	r := restRequest("POST", "/2013-04-01/tags/hostedzone/Z1")
	r.Body = []byte("<ChangeTagsForResourceRequest/>")
	if err := (RestXML{}).Decode(Op{&route53.Model, change}, r, &route53.ChangeTagsForResourceRequest{}); err == nil {
		t.Error("a body is ignored")
	}
}

func TestRestXMLEncodes(t *testing.T) {
	info, _ := route53.Model.Operation("GetHostedZone")
	out := &route53.GetHostedZoneResponse{
		HostedZone: &route53.HostedZone{Id: aws.Ptr("/hostedzone/Z1"), Name: aws.Ptr("a<b."), Config: &route53.HostedZoneConfig{PrivateZone: aws.Ptr(true)}},
		VPCs:       []route53.VPC{{VPCId: aws.Ptr("vpc-1")}},
	}
	got, err := RestXML{}.Encode(Op{&route53.Model, info}, restRequest("GET", "/"), out)
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<GetHostedZoneResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HostedZone><Config><PrivateZone>true</PrivateZone></Config>` +
		`<Id>/hostedzone/Z1</Id><Name>a&lt;b.</Name></HostedZone><VPCs><VPC><VPCId>vpc-1</VPCId></VPC></VPCs></GetHostedZoneResponse>`
	if err != nil || string(got.Body) != want || got.ContentType != "text/xml" {
		t.Errorf("%s %s %v", got.ContentType, got.Body, err)
	}
	failed := RestXML{}.Fail(&route53.Model, restRequest("GET", "/"), Failure{Code: "NoSuchHostedZone", Message: "none", Status: 404})
	if failed.Status != 404 || !strings.Contains(string(failed.Body), "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type><Code>NoSuchHostedZone</Code><Message>none</Message></Error><RequestId>request-1</RequestId></ErrorResponse>") {
		t.Errorf("%s", failed.Body)
	}
}
