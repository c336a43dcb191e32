package tables

import (
	"net/url"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// SettingKey is the key of a principal's account setting. An ARN has "/" in it, which a part of a key has not.
func SettingKey(h ecs.Home, principal, name string) string {
	return At(h).Key(url.PathEscape(principal), name)
}

// SettingOf is what a principal chose, else what the root did for everybody; false when neither chose.
func SettingOf(tx store.Tx, h ecs.Home, principal, name string) (*ecs.AccountSetting, bool) {
	if s, ok := AccountSettings.Peek(tx, SettingKey(h, principal, name)); ok {
		return s, true
	}
	return AccountSettings.Peek(tx, SettingKey(h, h.Root(), name))
}

// LogMode is the delivery mode that a container's log driver has when its definition names none: the account's
// defaultLogDriverMode.
func LogMode(tx store.Tx, h ecs.Home) string {
	s, ok := SettingOf(tx, h, h.Root(), "defaultLogDriverMode")
	if !ok {
		return ecs.DefaultLogMode
	}
	return s.Value
}
