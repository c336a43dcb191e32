package request

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ClusterSettings are the given settings over what holds otherwise.
func ClusterSettings(in []shape.ClusterSetting, otherwise string) ([]shape.ClusterSetting, error) {
	value := otherwise
	for _, s := range in {
		if aws.Val(s.Name) != shape.ClusterSettingNameContainerInsights {
			return nil, Invalid("Invalid setting name: '%s'. Valid names: containerInsights", aws.Val(s.Name))
		}
		switch aws.Val(s.Value) {
		case "enabled", "disabled", "enhanced":
			value = *s.Value
		default:
			return nil, Invalid("Invalid setting value: '%s'. Valid values: enhanced, enabled, disabled", aws.Val(s.Value))
		}
	}
	return []shape.ClusterSetting{{Name: aws.Ptr(shape.ClusterSettingNameContainerInsights), Value: aws.Ptr(value)}}, nil
}
