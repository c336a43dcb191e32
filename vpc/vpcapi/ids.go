package vpcapi

import (
	"slices"

	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/wire"
)

// homeOf is the account and region of a request.
func homeOf(c wire.Call) vpc.Home { return vpc.Home{Account: c.Account, Region: c.Region} }

// missing is EC2's error of a parameter that a request must have.
func missing(parameter string) error {
	return wire.Errorf("MissingParameter", "The request must contain the parameter %s", parameter)
}

// together is EC2's error of parameters that exclude each other.
func together(a, b string) error {
	return wire.Errorf("InvalidParameterCombination", "The parameters %s and %s cannot be used together", a, b)
}

// checkIDs refuses what cannot be ids of a kind.
func checkIDs(k vpc.Kind, ids []string) error {
	for _, id := range ids {
		if err := k.Check(id); err != nil {
			return err
		}
	}
	return nil
}

// found refuses ids that nothing has, among those that were asked for.
func found(k vpc.Kind, asked []string, have func(id string) bool) error {
	strange := slices.DeleteFunc(slices.Clone(asked), have)
	if len(strange) == 0 {
		return nil
	}
	return k.NotFound(strange...)
}

// either is the filters' value of a boolean.
func either(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// one is the filters' value of a text, of which "" is none.
func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
