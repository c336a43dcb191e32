package request

import (
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// SettingRule is what AWS says of an account setting.
type SettingRule struct {
	Name    string
	Default string
	Values  []string // that may be chosen
	Managed bool     // AWS manages it: it can only be read
	Root    bool     // only the root has one
	Fixed   bool     // it can be chosen, but there is no choice left
}

// SettingRules are all account settings, sorted by name.
var SettingRules = []SettingRule{
	{Name: shape.SettingNameAwsvpcTrunking, Default: off, Values: onOff},
	{Name: shape.SettingNameContainerInsights, Default: off, Values: []string{"enhanced", on, off}},
	{Name: shape.SettingNameContainerInstanceLongArnFormat, Default: on, Values: []string{on}, Fixed: true},
	{Name: shape.SettingNameDefaultLogDriverMode, Default: ecs.DefaultLogMode, Values: []string{"blocking", "non-blocking"}},
	{Name: shape.SettingNameDualStackIPv6, Default: on, Values: onOff},
	{Name: shape.SettingNameFargateEventWindows, Default: off, Values: onOff},
	{Name: shape.SettingNameFargateFIPSMode, Default: off, Values: onOff},
	{Name: shape.SettingNameFargateTaskRetirementWaitPeriod, Default: "7", Values: []string{"0", "7", "14"}, Root: true},
	{Name: shape.SettingNameGuardDutyActivate, Default: "off", Managed: true},
	{Name: shape.SettingNameServiceLongArnFormat, Default: on, Values: []string{on}, Fixed: true},
	{Name: shape.SettingNameTagResourceAuthorization, Default: "on", Values: []string{"on", "off"}},
	{Name: shape.SettingNameTaskLongArnFormat, Default: on, Values: []string{on}, Fixed: true},
}

const on, off = "enabled", "disabled"

var onOff = []string{on, off}

// Setting finds the rule of a setting.
func Setting(name string) (SettingRule, error) {
	for _, r := range SettingRules {
		if r.Name == name {
			return r, nil
		}
	}
	names := make([]string, len(SettingRules))
	for i, r := range SettingRules {
		names[i] = r.Name
	}
	return SettingRule{}, Invalid("Invalid setting name: '%s'. Valid names: %s", name, strings.Join(names, ", "))
}

// CheckSetting holds a new value of a setting to its rule.
func CheckSetting(h ecs.Home, name, value, principal string) error {
	r, err := Setting(name)
	switch {
	case err != nil:
		return err
	case r.Managed:
		return Invalid("The setting %s is managed by AWS and cannot be changed.", name)
	case r.Root && principal != h.Root():
		return Invalid("You must use the root user when you set %s.", name)
	case r.Fixed && value == off:
		return Invalid("You can no longer disable Long Arn settings") // Terraform looks for it when it destroys one
	case !slices.Contains(r.Values, value):
		return Invalid("Invalid setting value: '%s'. Valid values for %s: %s", value, name, strings.Join(r.Values, ", "))
	}
	return nil
}

// SettingPrincipal reads whose setting is meant: the named principal's, else the caller's own. Only the root may speak
// of others.
func SettingPrincipal(h ecs.Home, caller, named string) (string, error) {
	own := ownSettings(h, caller)
	if named == "" || named == own {
		return own, nil
	}
	if own != h.Root() {
		return "", &aws.Error{Code: shape.CodeAccessDeniedException,
			Message: "You must be the root user, or the principal, to use the parameter principalArn."}
	}
	prefix := strings.TrimSuffix(h.Root(), "root")
	rest, ok := strings.CutPrefix(named, prefix)
	kind, name, _ := strings.Cut(rest, "/")
	if !ok || name == "" || (kind != "user" && kind != "role") {
		return "", Invalid("Invalid principalArn: '%s' is not the ARN of the root, a user or a role of this account.", named)
	}
	return named, nil
}

// ownSettings is the principal whose settings a caller has: a session has its role's, a federated user the root's.
func ownSettings(h ecs.Home, caller string) string {
	if rest, ok := strings.CutPrefix(caller, "arn:"+ecs.Partition+":sts::"+h.Account+":assumed-role/"); ok {
		role, _, _ := strings.Cut(rest, "/")
		return strings.TrimSuffix(h.Root(), "root") + "role/" + role
	}
	if strings.HasPrefix(caller, strings.TrimSuffix(h.Root(), "root")) {
		return caller
	}
	return h.Root()
}
