package acmapi

import (
	"bytes"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/acmtest"
	"github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

func TestACertificateFromImportToDeletion(t *testing.T) {
	w := begin(t)
	root := acmtest.New(t, acmtest.Of{})
	m := root.Issue(acmtest.Of{Names: []string{"a.example", "*.a.example"}})
	arn := w.imported(m, "env", "test")
	d := must(w, w.api.DescribeCertificate, &shape.DescribeCertificateRequest{CertificateArn: &arn}).Certificate
	if *d.DomainName != "a.example" || !slices.Equal(d.SubjectAlternativeNames, []string{"a.example", "*.a.example"}) || *d.Type != "IMPORTED" ||
		*d.Status != "ISSUED" || *d.KeyAlgorithm != "EC_prime256v1" || *d.SignatureAlgorithm != "SHA256WITHECDSA" || *d.Issuer != "Tests" ||
		*d.Subject != "CN=a.example" || *d.Serial != "01:02:03:ab" || *d.RenewalEligibility != "INELIGIBLE" || len(d.InUseBy) != 0 ||
		len(d.KeyUsages) != 2 || *d.ExtendedKeyUsages[0].OID != "1.3.6.1.5.5.7.3.1" {
		t.Errorf("described as %+v", d)
	}
	got := must(w, w.api.GetCertificate, &shape.GetCertificateRequest{CertificateArn: &arn})
	if *got.Certificate != string(m.Body) || *got.CertificateChain != string(m.Chain) {
		t.Errorf("got %s and %s", *got.Certificate, *got.CertificateChain)
	}
	if _, err := tls.X509KeyPair(w.secrets(arn)); err != nil {
		t.Errorf("what a proxy gets: %v", err)
	}
	w.users[arn] = []string{"arn:lb"}
	fails(w, w.api.DeleteCertificate, &shape.DeleteCertificateRequest{CertificateArn: &arn}, "ResourceInUseException: is in use by arn:lb")
	if d := must(w, w.api.DescribeCertificate, &shape.DescribeCertificateRequest{CertificateArn: &arn}).Certificate; !slices.Equal(d.InUseBy, []string{"arn:lb"}) {
		t.Errorf("in use by %v", d.InUseBy)
	}
	w.users[arn] = nil
	must(w, w.api.DeleteCertificate, &shape.DeleteCertificateRequest{CertificateArn: &arn})
	fails(w, w.api.DescribeCertificate, &shape.DescribeCertificateRequest{CertificateArn: &arn}, "ResourceNotFoundException: Could not find certificate "+arn)
	left := 0
	if err := w.store.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		for range tables.Keys.List(tx, "", "") {
			left++
		}
		for range tables.Tags.List(tx, "", "") {
			left++
		}
		return nil
	}); err != nil || left != 0 {
		t.Errorf("%d records are left, %v", left, err)
	}
}

func TestImportedAgain(t *testing.T) {
	w := begin(t)
	of := acmtest.Of{Names: []string{"a.example"}}
	first, second := acmtest.SelfSigned(t, of), acmtest.SelfSigned(t, of)
	arn := w.imported(first, "env", "test")
	in := w.importing(second)
	in.CertificateArn = &arn
	if again := must(w, w.api.ImportCertificate, in); *again.CertificateArn != arn {
		t.Errorf("it is %s now", *again.CertificateArn)
	}
	if chain, key := w.secrets(arn); !bytes.Equal(chain, second.Body) || !bytes.Equal(key, second.Key) {
		t.Error("what proxies get is not the new one")
	}
	if tags := must(w, w.api.ListTagsForCertificate, &shape.ListTagsForCertificateRequest{CertificateArn: &arn}).Tags; len(tags) != 1 {
		t.Errorf("its tags are %v", tags)
	}
	in.Tags = []shape.Tag{{Key: aws.Ptr("a")}}
	fails(w, w.api.ImportCertificate, in, "ValidationException: Tags cannot be given")
	of.Key = acmtest.NewKey(t, elliptic.P384())
	in = w.importing(acmtest.SelfSigned(t, of))
	in.CertificateArn = &arn
	fails(w, w.api.ImportCertificate, in, "ValidationException: The key algorithm of a certificate cannot be changed")
	in.CertificateArn = aws.Ptr(here.ARN("00000000-0000-0000-0000-000000000000"))
	fails(w, w.api.ImportCertificate, in, "ResourceNotFoundException: Could not find")
	for _, arn := range []string{"arn:aws:acm:eu-west-1:000000000000:certificate/00000000-0000-0000-0000-000000000000", "arn:aws:iam::0:server-certificate/x"} {
		in.CertificateArn = &arn
		fails(w, w.api.ImportCertificate, in, "InvalidArnException: "+arn)
	}
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		of := func(name string, key acmtest.Of) acm.Material {
			key.Names = []string{name}
			time.Sleep(time.Second)
			return acmtest.SelfSigned(t, key)
		}
		w.imported(of("rsa1.example", acmtest.Of{Key: acmtest.NewRSA(t, 1024)}))
		w.imported(of("rsa2.example", acmtest.Of{Key: acmtest.NewRSA(t, 2048), Change: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }}))
		w.imported(of("ec.example", acmtest.Of{}))
		up, down := aws.Ptr("ASCENDING"), aws.Ptr("DESCENDING")
		by := aws.Ptr("CREATED_AT")
		all := &shape.Filters{KeyTypes: []string{"RSA_1024", "RSA_2048", "EC_prime256v1"}}
		for want, in := range map[string]*shape.ListCertificatesRequest{
			"rsa1.example rsa2.example":            {SortBy: by, SortOrder: up},
			"rsa1.example rsa2.example ec.example": {SortBy: by, SortOrder: up, Includes: all},
			"ec.example rsa2.example rsa1.example": {SortBy: by, SortOrder: down, Includes: all},
			"rsa2.example":                         {Includes: &shape.Filters{ExtendedKeyUsage: []string{"TLS_WEB_CLIENT_AUTHENTICATION", "CODE_SIGNING"}}},
			"":                                     {CertificateStatuses: []string{"EXPIRED"}},
			"ec.example":                           {Includes: &shape.Filters{KeyTypes: []string{"EC_prime256v1"}, KeyUsage: []string{"DIGITAL_SIGNATURE"}}, CertificateStatuses: []string{"ISSUED"}},
		} {
			if got := w.listed(in); got != want {
				t.Errorf("%+v lists %q, want %q", in, got, want)
			}
		}
		if got := w.listed(&shape.ListCertificatesRequest{Includes: &shape.Filters{ExportOption: aws.Ptr("ENABLED")}}); got != "" {
			t.Errorf("%s can be exported", got)
		}
		fails(w, w.api.ListCertificates, &shape.ListCertificatesRequest{SortBy: by}, "ValidationException: SortBy and SortOrder")
		var pages []string
		in := &shape.ListCertificatesRequest{SortBy: by, SortOrder: down, Includes: all, MaxItems: aws.Ptr[int32](1)}
		for {
			out := must(w, w.api.ListCertificates, in)
			pages = append(pages, *out.CertificateSummaryList[0].DomainName)
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		if !slices.Equal(pages, []string{"ec.example", "rsa2.example", "rsa1.example"}) {
			t.Errorf("pages %v", pages)
		}
		time.Sleep(25 * time.Hour)
		if got := w.listed(&shape.ListCertificatesRequest{CertificateStatuses: []string{"EXPIRED"}, SortBy: by, SortOrder: up}); got != "rsa1.example rsa2.example" {
			t.Errorf("a day later %s have expired", got)
		}
	})
}

func TestTags(t *testing.T) {
	w := begin(t)
	arn := w.imported(acmtest.SelfSigned(t, acmtest.Of{Names: []string{"a"}}), "env", "test")
	tag := func(kv ...string) []shape.Tag {
		out := []shape.Tag{}
		for i := 0; i < len(kv); i += 2 {
			out = append(out, shape.Tag{Key: &kv[i], Value: &kv[i+1]})
		}
		return out
	}
	tags := func() string {
		var all []string
		for _, p := range must(w, w.api.ListTagsForCertificate, &shape.ListTagsForCertificateRequest{CertificateArn: &arn}).Tags {
			all = append(all, *p.Key+"="+*p.Value)
		}
		return strings.Join(all, " ")
	}
	must(w, w.api.AddTagsToCertificate, &shape.AddTagsToCertificateRequest{CertificateArn: &arn, Tags: tag("env", "prod", "a", "b")})
	if got := tags(); got != "a=b env=prod" {
		t.Errorf("tags %s", got)
	}
	must(w, w.api.RemoveTagsFromCertificate, &shape.RemoveTagsFromCertificateRequest{CertificateArn: &arn, Tags: tag("env", "test", "a", "b")})
	if got := tags(); got != "env=prod" {
		t.Errorf("tags %s: one with another value stays", got)
	}
	must(w, w.api.RemoveTagsFromCertificate, &shape.RemoveTagsFromCertificateRequest{CertificateArn: &arn, Tags: []shape.Tag{{Key: aws.Ptr("env")}}})
	if got := tags(); got != "" {
		t.Errorf("tags %s", got)
	}
	fails(w, w.api.AddTagsToCertificate, &shape.AddTagsToCertificateRequest{CertificateArn: &arn, Tags: tag("aws:x", "1")}, "InvalidTagException: reserved")
	fails(w, w.api.AddTagsToCertificate, &shape.AddTagsToCertificateRequest{CertificateArn: &arn, Tags: tag("x", "1", "x", "2")}, "InvalidTagException: more than one")
	var many []string
	for i := range 51 {
		many = append(many, strings.Repeat("k", i+1), "v")
	}
	fails(w, w.api.AddTagsToCertificate, &shape.AddTagsToCertificateRequest{CertificateArn: &arn, Tags: tag(many...)}, "TooManyTagsException: 50")
}
