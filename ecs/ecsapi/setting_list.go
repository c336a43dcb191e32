package ecsapi

import (
	"context"
	"iter"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ListAccountSettings lists what a principal chose or, when asked for what is effective, every setting with the value
// that holds for it, by name.
func (a *API) ListAccountSettings(ctx context.Context, c wire.Call, in *shape.ListAccountSettingsRequest) (*shape.ListAccountSettingsResponse, error) {
	h := home(c)
	f := settingFilter{Name: aws.Val(in.Name), Value: aws.Val(in.Value), Effective: aws.Val(in.EffectiveSettings)}
	if f.Value != "" && f.Name == "" {
		return nil, request.Invalid("You must also specify an account setting name to filter by value.")
	}
	if f.Name != "" {
		if _, err := request.Setting(f.Name); err != nil {
			return nil, err
		}
	}
	var err error
	if f.Principal, err = request.SettingPrincipal(h, c.Principal, aws.Val(in.PrincipalArn)); err != nil {
		return nil, err
	}
	out := &shape.ListAccountSettingsResponse{}
	err = a.view(ctx, func(tx store.Tx) error {
		p := page(c, slice{in.NextToken, in.MaxResults, 10}, f)
		out.Settings, out.NextToken, err = wire.Page(p, f.list(tx, h))
		return err
	})
	return out, err
}

// settingFilter is what selects settings; it is hashed into page tokens.
type settingFilter struct {
	Name, Value, Principal string
	Effective              bool
}

func (f settingFilter) list(tx store.Tx, h ecs.Home) iter.Seq2[string, shape.Setting] {
	return func(yield func(string, shape.Setting) bool) {
		for _, rule := range request.SettingRules {
			if f.Name != "" && f.Name != rule.Name {
				continue
			}
			s := effective(tx, h, f.Principal, rule)
			if !f.Effective {
				own, ok := tables.AccountSettings.Peek(tx, tables.SettingKey(h, f.Principal, rule.Name))
				if !ok {
					continue
				}
				s = chosen{own.Value, own.Principal}
			}
			if f.Value != "" && f.Value != s.value {
				continue
			}
			if !yield(rule.Name, *renderSetting(rule.Name, s.value, s.principal)) {
				return
			}
		}
	}
}
