package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxAttributes is how many a container instance may have of its own.
const maxAttributes = 10

var (
	attributeName  = regexp.MustCompile(`^[a-zA-Z0-9_./\\-]{1,128}$`)
	attributeValue = regexp.MustCompile(`^[a-zA-Z0-9_.@/\\:-]([a-zA-Z0-9_.@/\\: -]{0,126}[a-zA-Z0-9_.@/\\:-])?$`)
	// reservedNames begin the attributes that ECS and the nodes set.
	reservedNames = []string{"ecs.", "com.amazonaws.", "berth."}
)

// ZoneIn is the node's availability zone in a region: the one it was given, else the region's first.
func (s Settings) ZoneIn(region string) string {
	if s.Zone != "" {
		return s.Zone
	}
	return s.ZonesOf(region)[0]
}

// NodeAttributes are the node's own attributes, by name.
func (s Settings) NodeAttributes() map[string]string {
	out := map[string]string{}
	for _, a := range s.Attributes {
		name, value, _ := strings.Cut(a, "=")
		out[name] = value
	}
	return out
}

func (s *Settings) validatePlacement(check func(string, error)) {
	if zones := s.ZonesOf(s.Region); s.Zone != "" && !slices.Contains(zones, s.Zone) {
		check("zone", fmt.Errorf("%q is not one of the zones of %s: %s", s.Zone, s.Region, strings.Join(zones, ", ")))
	}
	check("attributes", attributes(s.Attributes))
}

// attributes holds them to ECS's rules.
func attributes(all []string) error {
	seen := map[string]bool{}
	for _, a := range all {
		name, value, valued := strings.Cut(a, "=")
		switch {
		case !attributeName.MatchString(name):
			return fmt.Errorf("%q does not begin with a name of up to 128 letters, digits, hyphens, underscores, periods and slashes", a)
		case slices.ContainsFunc(reservedNames, func(p string) bool { return strings.HasPrefix(name, p) }):
			return fmt.Errorf("%q is reserved: names do not begin with %s", name, strings.Join(reservedNames, ", "))
		case valued && !attributeValue.MatchString(value):
			return fmt.Errorf("the value of %q is not 1 to 128 letters, digits, hyphens, underscores, periods, at signs, slashes, colons and inner spaces", name)
		case seen[name]:
			return fmt.Errorf("%q is given twice", name)
		}
		seen[name] = true
	}
	if len(all) > maxAttributes {
		return fmt.Errorf("%d are given, a container instance has at most %d of its own", len(all), maxAttributes)
	}
	return nil
}
