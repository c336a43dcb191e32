package request

import (
	"strings"

	"github.com/berth-ecs/berth/ecs/place/query"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// CheckPlacement holds constraints and strategies to AWS's rules.
func CheckPlacement(constraints []shape.PlacementConstraint, strategy []shape.PlacementStrategy) error {
	if len(constraints) > 10 {
		return Invalid("Too many placement constraints: at most 10 are allowed.")
	}
	if len(strategy) > 5 {
		return Invalid("Too many placement strategies: at most 5 are allowed.")
	}
	for _, k := range constraints {
		if err := checkConstraint(k); err != nil {
			return err
		}
	}
	for _, s := range strategy {
		if err := checkStrategy(s); err != nil {
			return err
		}
	}
	return nil
}

func checkConstraint(k shape.PlacementConstraint) error {
	expression := aws.Val(k.Expression)
	switch aws.Val(k.Type) {
	case shape.PlacementConstraintTypeDistinctInstance:
		if expression != "" {
			return Invalid("distinctInstance expression should not be specified.")
		}
	case shape.PlacementConstraintTypeMemberOf:
		if expression == "" {
			return Invalid("Placement constraint memberOf needs an expression.")
		}
		if _, err := query.Parse(expression); err != nil {
			return Invalid("Invalid expression: %v", err)
		}
	default:
		return Invalid("Invalid placement constraint type '%s'.", aws.Val(k.Type))
	}
	return nil
}

func checkStrategy(s shape.PlacementStrategy) error {
	field := aws.Val(s.Field)
	switch aws.Val(s.Type) {
	case shape.PlacementStrategyTypeRandom:
		if field != "" {
			return Invalid("Placement strategy random takes no field.")
		}
	case shape.PlacementStrategyTypeSpread:
		if field == "" {
			return Invalid("Placement strategy spread needs a field.")
		}
	case shape.PlacementStrategyTypeBinpack:
		if f := strings.ToUpper(field); f != "CPU" && f != "MEMORY" {
			return Invalid("Placement strategy binpack needs field cpu or memory.")
		}
	default:
		return Invalid("Invalid placement strategy type '%s'.", aws.Val(s.Type))
	}
	return nil
}
