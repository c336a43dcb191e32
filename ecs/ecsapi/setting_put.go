package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// PutAccountSetting sets a setting of the caller, or of the principal that the root names.
func (a *API) PutAccountSetting(ctx context.Context, c wire.Call, in *shape.PutAccountSettingRequest) (*shape.PutAccountSettingResponse, error) {
	principal, err := request.SettingPrincipal(home(c), c.Principal, aws.Val(in.PrincipalArn))
	if err != nil {
		return nil, err
	}
	s, err := a.putSetting(ctx, &ecs.AccountSetting{Home: home(c), Principal: principal, Name: aws.Val(in.Name), Value: aws.Val(in.Value)})
	return &shape.PutAccountSettingResponse{Setting: s}, err
}

// PutAccountSettingDefault sets what holds for everybody who chose nothing: it is the root's.
func (a *API) PutAccountSettingDefault(ctx context.Context, c wire.Call, in *shape.PutAccountSettingDefaultRequest) (*shape.PutAccountSettingDefaultResponse, error) {
	h := home(c)
	s, err := a.putSetting(ctx, &ecs.AccountSetting{Home: h, Principal: h.Root(), Name: aws.Val(in.Name), Value: aws.Val(in.Value)})
	return &shape.PutAccountSettingDefaultResponse{Setting: s}, err
}

func (a *API) putSetting(ctx context.Context, s *ecs.AccountSetting) (*shape.Setting, error) {
	if err := request.CheckSetting(s.Home, s.Name, s.Value, s.Principal); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(tx store.Tx) error {
		tables.AccountSettings.Put(tx, s)
		return nil
	})
	return renderSetting(s.Name, s.Value, s.Principal), err
}

// DeleteAccountSetting takes back what a principal chose and answers what holds then. Nothing to take back is no error.
func (a *API) DeleteAccountSetting(ctx context.Context, c wire.Call, in *shape.DeleteAccountSettingRequest) (*shape.DeleteAccountSettingResponse, error) {
	h := home(c)
	rule, err := request.Setting(aws.Val(in.Name))
	if err != nil {
		return nil, err
	}
	if rule.Managed {
		return nil, request.Invalid("The setting %s is managed by AWS and cannot be changed.", rule.Name)
	}
	principal, err := request.SettingPrincipal(h, c.Principal, aws.Val(in.PrincipalArn))
	if err != nil {
		return nil, err
	}
	var out *shape.Setting
	err = a.store.Update(ctx, func(tx store.Tx) error {
		tables.AccountSettings.Delete(tx, tables.SettingKey(h, principal, rule.Name))
		out = renderSetting(rule.Name, effective(tx, h, principal, rule).value, principal)
		return nil
	})
	return &shape.DeleteAccountSettingResponse{Setting: out}, err
}

// chosen is a setting's value and who chose it: the root, when nobody did.
type chosen struct{ value, principal string }

func effective(tx store.Tx, h ecs.Home, principal string, rule request.SettingRule) chosen {
	if s, ok := tables.SettingOf(tx, h, principal, rule.Name); ok {
		return chosen{s.Value, s.Principal}
	}
	return chosen{rule.Default, h.Root()}
}

// setting is what holds for a caller.
func setting(tx store.Tx, c wire.Call, name string) string {
	rule, err := request.Setting(name)
	if err != nil {
		return ""
	}
	principal, err := request.SettingPrincipal(home(c), c.Principal, "")
	if err != nil {
		return rule.Default
	}
	return effective(tx, home(c), principal, rule).value
}

func renderSetting(name, value, principal string) *shape.Setting {
	kind := shape.SettingTypeUser
	if rule, err := request.Setting(name); err == nil && rule.Managed {
		kind = shape.SettingTypeAwsManaged
	}
	return &shape.Setting{Name: &name, Value: &value, PrincipalArn: &principal, Type: &kind}
}
