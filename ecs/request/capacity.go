package request

import (
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Providers are the capacity providers that every account has. There are no others yet.
var Providers = []string{shape.CapacityProviderTypeFargate, shape.CapacityProviderTypeFargateSpot}

// maxProviders is how many a cluster, or a strategy, may have.
const maxProviders = 20

// Provider reads a reference to a capacity provider, which may be unknown: a name or an ARN.
func Provider(h ecs.Home, ref string) (string, error) {
	if strings.HasPrefix(ref, "arn:") {
		a, err := ParseARN(h, ref, "capacity-provider", 1)
		if err != nil {
			return "", err
		}
		ref = a.Parts[0]
	}
	if !ValidName.MatchString(ref) {
		return "", Invalid("Invalid identifier: '%s' is not the name or ARN of a capacity provider.", ref)
	}
	return ref, nil
}

func knownProvider(h ecs.Home, ref string) (string, error) {
	name, err := Provider(h, ref)
	if err == nil && !slices.Contains(Providers, name) {
		return "", Invalid("The specified capacity provider does not exist. Specify a valid name or ARN and try again.")
	}
	return name, err
}

// ClusterProviders reads the capacity providers of a cluster.
func ClusterProviders(h ecs.Home, refs []string) ([]string, error) {
	if len(refs) > maxProviders {
		return nil, Invalid("CapacityProviders cannot have more than %d elements.", maxProviders)
	}
	names := make([]string, 0, len(refs))
	for _, ref := range refs {
		name, err := knownProvider(h, ref)
		if err != nil {
			return nil, err
		}
		if slices.Contains(names, name) {
			return nil, Invalid("The capacity provider '%s' is given twice. Remove one and try again.", name)
		}
		names = append(names, name)
	}
	return names, nil
}

// Strategy reads a capacity provider strategy for a cluster with some providers; what is absent is zero.
func Strategy(h ecs.Home, items []shape.CapacityProviderStrategyItem, associated []string) ([]shape.CapacityProviderStrategyItem, error) {
	if len(items) > maxProviders {
		return nil, Invalid("A capacity provider strategy cannot have more than %d capacity providers.", maxProviders)
	}
	var out []shape.CapacityProviderStrategyItem
	for _, i := range items {
		name, err := knownProvider(h, aws.Val(i.CapacityProvider))
		if err != nil {
			return nil, err
		}
		item := shape.CapacityProviderStrategyItem{CapacityProvider: &name, Weight: aws.Ptr(aws.Val(i.Weight)), Base: aws.Ptr(aws.Val(i.Base))}
		switch {
		case !slices.Contains(associated, name):
			return nil, Invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. " +
				"Associate the capacity provider with the cluster and try again.")
		case *item.Weight < 0 || *item.Weight > 1000:
			return nil, Invalid("Invalid weight of capacity provider %s: %d. It must be between 0 and 1000.", name, *item.Weight)
		case *item.Base < 0 || *item.Base > 100_000:
			return nil, Invalid("Invalid base of capacity provider %s: %d. It must be between 0 and 100000.", name, *item.Base)
		}
		out = append(out, item)
	}
	return out, checkShares(out)
}

// checkShares is what holds between the items of a strategy.
func checkShares(items []shape.CapacityProviderStrategyItem) error {
	bases, weight := 0, int32(0)
	for n, i := range items {
		if slices.ContainsFunc(items[:n], func(o shape.CapacityProviderStrategyItem) bool { return *o.CapacityProvider == *i.CapacityProvider }) {
			return Invalid("The specified capacity provider strategy cannot contain a capacity provider twice: %s.", *i.CapacityProvider)
		}
		if weight += *i.Weight; *i.Base > 0 {
			bases++
		}
	}
	switch {
	case bases > 1:
		return Invalid("The specified capacity provider strategy cannot contain more than one capacity provider with a base value.")
	case len(items) > 0 && weight == 0:
		return Invalid("The specified capacity provider strategy must contain at least one capacity provider with a weight value greater than 0.")
	}
	return nil
}

// OneCapacity holds a request to saying only once where tasks run.
func OneCapacity(launchType *string, strategy []shape.CapacityProviderStrategyItem) error {
	if aws.Val(launchType) != "" && len(strategy) > 0 {
		return Invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	return nil
}
