package config

import (
	"errors"
	"fmt"
	"strings"
)

// Value is a text that was given for a key, and where: "flag --region", "environment variable BERTH_REGION",
// "berth.yaml line 3".
type Value struct {
	Key, Text, From string
}

// Layers is what was given, by source. Within one layer a later value wins.
type Layers struct {
	Flags   []Value
	Environ []string // NAME=value, as os.Environ returns them; names without EnvPrefix are left alone
	File    []Value
}

// Load merges the layers over the defaults and validates the result. Its error joins everything that is wrong.
func Load(l Layers) (Settings, error) {
	keys := Keys()
	environ, errs := fromEnviron(keys, l.Environ)
	given := make(map[string]Value, len(keys))
	for _, layer := range [][]Value{l.File, environ, l.Flags} {
		for _, v := range layer {
			if !known(keys, v.Key) {
				errs = append(errs, unknown(keys, v.Key, v.From))
				continue
			}
			given[v.Key] = v
		}
	}
	var s Settings
	for _, k := range keys {
		v, ok := given[k.Name]
		if !ok {
			v = Value{Key: k.Name, Text: k.Default, From: "default"}
			given[k.Name] = v
		}
		if err := k.set(&s, v.Text); err != nil {
			errs = append(errs, fmt.Errorf("%s (%s): %w", k.Name, v.From, err))
		}
	}
	if len(errs) > 0 {
		return Settings{}, errors.Join(errs...)
	}
	s.derive()
	if err := s.validate(given); err != nil {
		return Settings{}, err
	}
	return s, nil
}

// Environ renders every setting as an environment, so that a process started with it loads the same Settings whatever
// its file says.
func (s Settings) Environ() []string {
	var out []string
	for _, k := range Keys() {
		out = append(out, k.Env()+"="+k.text(&s))
	}
	return out
}

// FileVariable names the configuration file; it is the one variable that is not a setting.
const FileVariable = EnvPrefix + "CONFIG"

// testPrefix belongs to the project's own tests, which hand their switches to test binaries.
const testPrefix = EnvPrefix + "TEST_"

func fromEnviron(keys []Key, environ []string) ([]Value, []error) {
	byEnv := make(map[string]string, len(keys))
	for _, k := range keys {
		byEnv[k.Env()] = k.Name
	}
	var values []Value
	var errs []error
	for _, e := range environ {
		name, text, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, EnvPrefix) || strings.HasPrefix(name, testPrefix) || name == FileVariable {
			continue
		}
		key, ok := byEnv[name]
		if !ok {
			errs = append(errs, unknownVariable(keys, name))
			continue
		}
		values = append(values, Value{Key: key, Text: text, From: "environment variable " + name})
	}
	return values, errs
}

func known(keys []Key, name string) bool {
	for _, k := range keys {
		if k.Name == name {
			return true
		}
	}
	return false
}
