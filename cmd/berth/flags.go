package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/internal/config"
)

// settingFlags is the CLI library's grammar of the settings, made from config.Keys: a flag cannot be forgotten, and
// what a value means is decided in one place, whichever way it was given.
type settingFlags struct {
	keys    []config.Key
	grammar any // pointer to a struct with one *string or *bool a key
}

func newSettingFlags(keys []config.Key) settingFlags {
	fields := make([]reflect.StructField, len(keys))
	for i, k := range keys {
		fields[i] = reflect.StructField{Name: "Setting" + strconv.Itoa(i), Type: flagType(k), Tag: flagTag(k)}
	}
	return settingFlags{keys: keys, grammar: reflect.New(reflect.StructOf(fields)).Interface()}
}

// given returns the flags that were on the command line.
func (f settingFlags) given() []config.Value {
	var out []config.Value
	fields := reflect.ValueOf(f.grammar).Elem()
	for i, k := range f.keys {
		if v := fields.Field(i); !v.IsNil() {
			out = append(out, config.Value{Key: k.Name, Text: fmt.Sprint(v.Elem().Interface()), From: "flag --" + k.Name})
		}
	}
	return out
}

func flagType(k config.Key) reflect.Type {
	if k.Switch {
		return reflect.TypeFor[*bool]()
	}
	return reflect.TypeFor[*string]()
}

func flagTag(k config.Key) reflect.StructTag {
	help := strings.ToUpper(k.Help[:1]) + k.Help[1:] + "."
	tag := fmt.Sprintf("name:%q help:%q group:%q", k.Name, help, "Settings")
	if k.Switch {
		return reflect.StructTag(tag)
	}
	shown := k.Default
	if shown == "" {
		shown = "TEXT"
	}
	return reflect.StructTag(tag + fmt.Sprintf(" placeholder:%q", shown))
}

// nearestFlag adds the nearest setting to the CLI library's complaint about a flag it does not know and has no idea about.
func nearestFlag(err error, args []string) error {
	if strings.Contains(err.Error(), "did you mean") {
		return err
	}
	for _, arg := range args {
		name, isFlag := strings.CutPrefix(arg, "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && strings.Contains(err.Error(), "unknown flag --"+name) {
			return fmt.Errorf("%w; the nearest known setting is --%s", err, config.Nearest(name))
		}
	}
	return err
}
