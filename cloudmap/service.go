package cloudmap

import (
	"slices"
	"strings"

	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// maxServiceName is the length of a service's name.
const maxServiceName = 127

// Finish fills what a new service of a namespace leaves open, or says what it cannot be.
func (s *Service) Finish(n *Namespace) error {
	if len(s.Name) > maxServiceName {
		return Invalid("Service name %s is longer than %d characters", s.Name, maxServiceName)
	}
	if err := s.checkType(n); err != nil {
		return err
	}
	if s.Check != nil && s.Custom != nil {
		return Invalid("Specify either HealthCheckConfig or HealthCheckCustomConfig, not both")
	}
	if err := s.Check.finish(n); err != nil {
		return err
	}
	if s.Records == nil {
		return nil
	}
	if len(n.Domain(s.Name)) > maxDomain {
		return Invalid("The name %s is longer than %d characters", n.Domain(s.Name), maxDomain)
	}
	return s.checkRecords()
}

// checkType finds out whether the service has names.
func (s *Service) checkType(n *Namespace) error {
	switch {
	case !n.DNS() && s.Records != nil:
		return Invalid("Service in an HTTP namespace must not have a DnsConfig: %s", n.ID)
	case s.Type == shape.ServiceTypeHttp && s.Records != nil:
		return Invalid("A service of type HTTP must not have a DnsConfig")
	case s.Records != nil:
		s.Type = shape.ServiceTypeDnsHttp
	default:
		s.Type = shape.ServiceTypeHttp
	}
	return nil
}

// checkRecords refuses records that cannot stand beside each other.
func (s *Service) checkRecords() error {
	if len(s.Records) == 0 {
		return Invalid("DnsConfig must have at least one DnsRecord")
	}
	seen := map[string]bool{}
	for _, r := range s.Records {
		if seen[r.Type] {
			return Invalid("There is more than one DnsRecord of type %s", r.Type)
		}
		seen[r.Type] = true
	}
	cname := seen[shape.RecordTypeCname]
	if s.Routing == "" {
		s.Routing = shape.RoutingPolicyMultivalue
		if cname {
			s.Routing = shape.RoutingPolicyWeighted
		}
	}
	switch {
	case cname && len(seen) > 1:
		return Invalid("A DnsRecord of type CNAME must be the only one")
	case cname && s.Routing != shape.RoutingPolicyWeighted:
		return Invalid("The RoutingPolicy of a DnsRecord of type CNAME must be WEIGHTED")
	case cname && s.Check != nil:
		return Invalid("A service with a DnsRecord of type CNAME must not have a HealthCheckConfig")
	}
	return nil
}

// finish fills what a check leaves open; c may be nil.
func (c *Check) finish(n *Namespace) error {
	switch {
	case c == nil:
		return nil
	case n.Type == shape.NamespaceTypeDnsPrivate:
		return Invalid("HealthCheckConfig is not supported in a private DNS namespace; use HealthCheckCustomConfig: %s", n.ID)
	case c.Type == shape.HealthCheckTypeTcp && c.Path != "":
		return Invalid("A HealthCheckConfig of type TCP must not have a ResourcePath")
	case c.Type != shape.HealthCheckTypeTcp && c.Path == "":
		c.Path = "/"
	}
	if c.Path != "" && !strings.HasPrefix(c.Path, "/") {
		c.Path = "/" + c.Path
	}
	if c.Threshold == 0 {
		c.Threshold = 1
	}
	return nil
}

// Has says whether names of the service answer records of a type.
func (s *Service) Has(recordType string) bool {
	return slices.ContainsFunc(s.Records, func(r Record) bool { return r.Type == recordType })
}

// TTL is how long a record of a type may be remembered, in seconds.
func (s *Service) TTL(recordType string) int64 {
	for _, r := range s.Records {
		if r.Type == recordType {
			return r.TTL
		}
	}
	return 0
}

// Changed is the service after a change, or says why it cannot be. As on AWS, records and checks that a change leaves out are gone, and no
// type of records comes.
func (s *Service) Changed(n *Namespace, c ServiceChange) (*Service, error) {
	if !n.DNS() {
		return nil, Invalid("A service of an HTTP namespace cannot be updated: %s", s.ID)
	}
	next := *s
	if c.Description != nil {
		next.Description = *c.Description
	}
	for _, r := range c.Records {
		if !s.Has(r.Type) {
			return nil, Invalid("The types of the DnsRecords of a service cannot be changed: %s", s.ID)
		}
	}
	if next.Records = c.Records; next.Records == nil {
		next.Routing = ""
	}
	if c.Check != nil && s.Custom != nil {
		return nil, Invalid("A service with a HealthCheckCustomConfig cannot get a HealthCheckConfig: %s", s.ID)
	}
	next.Check = nil
	if c.Check != nil {
		check := *c.Check
		next.Check = &check
	}
	return &next, next.Finish(n)
}
