package cloudmap

import (
	"strings"
	"unicode/utf8"

	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// AWS's limits of an instance's attributes.
const (
	maxAttributes     = 30
	maxAttributesSize = 5000
)

// CheckID refuses an instance's id that SRV records cannot point to: it is the first part of a name in DNS. The name has other letters than
// Route 53 takes for a namespace.
func (s *Service) CheckID(n *Namespace, id string) error {
	if !s.Has(shape.RecordTypeSrv) {
		return nil
	}
	name := Target(n.Domain(s.Name), id)
	bad := len(name) > maxDomain
	for l := range strings.SplitSeq(name, ".") {
		bad = bad || l == "" || len(l) > maxLabel
	}
	if bad {
		return Invalid("The instance ID %s makes no domain name that an SRV record can point to: %s", id, name)
	}
	return nil
}

// CheckAttributes refuses attributes that an instance of the service cannot have.
func (s *Service) CheckAttributes(n *Namespace, attributes map[string]string) error {
	i := &Instance{Attributes: attributes}
	for _, rule := range []func(*Namespace, *Instance) error{s.checkSize, s.checkForms, s.checkEC2, s.checkAlias, s.checkNeeded, s.checkHealth} {
		if err := rule(n, i); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkSize(_ *Namespace, i *Instance) error {
	size, custom := 0, 0
	for k, v := range i.Attributes {
		size += utf8.RuneCountInString(k) + utf8.RuneCountInString(v)
		if !strings.HasPrefix(k, "AWS_") {
			custom++
		}
	}
	if custom > maxAttributes {
		return Invalid("An instance can have at most %d custom attributes", maxAttributes)
	}
	if size > maxAttributesSize {
		return Invalid("The attributes of an instance can have at most %d characters together", maxAttributesSize)
	}
	return nil
}

// checkForms refuses values of attributes that have a meaning and do not read as one.
func (s *Service) checkForms(_ *Namespace, i *Instance) error {
	for _, f := range []struct {
		attribute, form string
		ok              bool
	}{
		{AttrIPv4, "an IPv4 address", i.IPv4().IsValid()},
		{AttrIPv6, "an IPv6 address", i.IPv6().IsValid()},
		{AttrPort, "a port between 1 and 65535", i.Port() != 0},
		{AttrCNAME, "a domain name", isName(i.CNAME())},
		{AttrAlias, "a domain name", isName(i.Alias())},
		{AttrEC2, "the ID of an EC2 instance", strings.HasPrefix(i.Attributes[AttrEC2], "i-")},
		{AttrInitHealth, "HEALTHY or UNHEALTHY", judges(i.Attributes[AttrInitHealth])},
	} {
		if v, set := i.Attributes[f.attribute]; set && !f.ok {
			return Invalid("Attribute %s must be %s: %s", f.attribute, f.form, v)
		}
	}
	return nil
}

// isName says whether a record may point to a name. A dot behind it changes nothing.
func isName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	return len(name) <= maxDomain && isDomain(name)
}

func judges(status string) bool {
	return status == shape.CustomHealthStatusHealthy || status == shape.CustomHealthStatusUnhealthy
}

func (s *Service) checkEC2(n *Namespace, i *Instance) error {
	if i.Attributes[AttrEC2] == "" {
		return nil
	}
	if n.DNS() {
		return Invalid("Attribute %s is supported in HTTP namespaces only", AttrEC2)
	}
	for _, other := range []string{AttrIPv6, AttrPort, AttrCNAME, AttrAlias} { // the address is filled in
		if _, set := i.Attributes[other]; set {
			return Invalid("Attribute %s must not be set together with %s", other, AttrEC2)
		}
	}
	return nil
}

func (s *Service) checkAlias(n *Namespace, i *Instance) error {
	if i.Alias() == "" {
		return nil
	}
	for k := range i.Attributes {
		if strings.HasPrefix(k, "AWS_INSTANCE_") {
			return Invalid("Attribute %s must not be set together with %s", k, AttrAlias)
		}
	}
	if n.DNS() && s.Records != nil && (s.Routing != shape.RoutingPolicyWeighted || !s.Has(shape.RecordTypeA) && !s.Has(shape.RecordTypeAaaa)) {
		return Invalid("Attribute %s needs a service with the RoutingPolicy WEIGHTED and a DnsRecord of type A or AAAA", AttrAlias)
	}
	return nil
}

// checkNeeded misses what records and checks are made of.
func (s *Service) checkNeeded(_ *Namespace, i *Instance) error {
	if i.Alias() != "" {
		return nil
	}
	v4, v6 := i.IPv4().IsValid(), i.IPv6().IsValid()
	ec2 := i.Attributes[AttrEC2] != ""
	switch {
	case s.Has(shape.RecordTypeA) && !v4:
		return needed(AttrIPv4, "a DnsRecord of type A")
	case s.Has(shape.RecordTypeAaaa) && !v6:
		return needed(AttrIPv6, "a DnsRecord of type AAAA")
	case s.Has(shape.RecordTypeSrv) && i.Port() == 0:
		return needed(AttrPort, "a DnsRecord of type SRV")
	case s.Has(shape.RecordTypeSrv) && !v4 && !v6:
		return needed(AttrIPv4+" or "+AttrIPv6, "a DnsRecord of type SRV")
	case s.Has(shape.RecordTypeCname) && i.CNAME() == "":
		return needed(AttrCNAME, "a DnsRecord of type CNAME")
	case s.Check != nil && i.Port() == 0 && !ec2:
		return needed(AttrPort, "a HealthCheckConfig")
	case s.Check != nil && !v4 && !v6 && !ec2:
		return needed(AttrIPv4+" or "+AttrIPv6, "a HealthCheckConfig")
	}
	return nil
}

func needed(attribute, because string) error {
	return Invalid("Attribute %s is required for an instance of a service with %s", attribute, because)
}

func (s *Service) checkHealth(_ *Namespace, i *Instance) error {
	if _, set := i.Attributes[AttrInitHealth]; set && s.Custom == nil {
		return Invalid("Attribute %s needs a service with a HealthCheckCustomConfig", AttrInitHealth)
	}
	return nil
}
