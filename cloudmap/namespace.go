package cloudmap

import (
	"regexp"
	"strings"

	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// DefaultSOATTL is how long a namespace's zone lets resolvers remember that there is no name, unless told otherwise.
const DefaultSOATTL = 15

// maxDomain is the length of a name in DNS.
const maxDomain = 253

// maxLabel is the length of a part of one.
const maxLabel = 63

// label is a part of a name in DNS, as Route 53 takes them.
var label = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)

// CheckNamespaceName refuses a name that a namespace of a type cannot have, beyond what the model says.
func CheckNamespaceName(kind, name string) error {
	switch {
	case strings.HasPrefix(name, "arn:"):
		return Invalid("Namespace name %s must not begin with arn:", name)
	case kind == shape.NamespaceTypeHttp:
		return nil
	case len(name) > maxDomain || !isDomain(name):
		return Invalid("Namespace name %s is not a valid domain name", name)
	}
	return nil
}

func isDomain(name string) bool {
	for l := range strings.SplitSeq(name, ".") {
		if !label.MatchString(l) {
			return false
		}
	}
	return true
}

// DNS says whether the namespace has a hosted zone.
func (n *Namespace) DNS() bool { return n.Type != shape.NamespaceTypeHttp }

// ZoneName is what the namespace's name is taken as among Domains: each VPC has names of its own, and DNS knows no case.
func (n *Namespace) ZoneName() string { return n.Type + " " + n.VPC + " " + n.NameOf(n.Name) }

// Domain is the name in DNS of the namespace's service, in lower case and without a dot behind it.
func (n *Namespace) Domain(service string) string {
	if service == "." {
		return strings.ToLower(n.Name)
	}
	return strings.ToLower(service + "." + n.Name)
}

// Target is the name of its own that an instance has below its service's, which SRV records point to.
func Target(domain, instance string) string { return strings.ToLower(instance) + "." + domain }

// NameOf is what a name is taken as in the namespace: where DNS answers, case does not tell two apart.
func (n *Namespace) NameOf(name string) string {
	if n.DNS() {
		return strings.ToLower(name)
	}
	return name
}

// Changed is the namespace after a change.
func (n *Namespace) Changed(c NamespaceChange) *Namespace {
	next := *n
	if c.Description != nil {
		next.Description = *c.Description
	}
	if c.SOATTL != nil {
		next.SOATTL = *c.SOATTL
	}
	return &next
}
