package ecs

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ProviderARN names a capacity provider.
func (h Home) ProviderARN(name string) string { return h.arn("capacity-provider", name) }

// RenderProvider is one of the capacity providers that every account has.
func RenderProvider(h Home, name string) shape.CapacityProvider {
	return shape.CapacityProvider{
		CapacityProviderArn: aws.Ptr(h.ProviderARN(name)),
		Name:                aws.Ptr(name),
		Status:              aws.Ptr(shape.CapacityProviderStatusActive),
		Tags:                []shape.Tag{},
		Type:                aws.Ptr(name),
	}
}
