package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/rootkeys"
)

type envCommand struct{}

func (envCommand) Run(a *app) error {
	keys, err := a.keys()
	if err != nil {
		return fmt.Errorf("env: %w", err)
	}
	a.printf("%s", exports(a.settings, keys))
	return nil
}

// keys returns the root keys: those given, or those the region made.
func (a *app) keys() (rootkeys.Keys, error) {
	if a.settings.AccessKey != "" {
		return rootkeys.Keys{AccessKey: a.settings.AccessKey, SecretKey: a.settings.SecretKey}, nil
	}
	keys, err := rootkeys.Read(a.settings.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return keys, fmt.Errorf("no keys in %s yet: they are made when the region first starts (berth up)", a.settings.DataDir)
	}
	return keys, err
}

func exports(s config.Settings, k rootkeys.Keys) string {
	var b strings.Builder
	for _, v := range [][2]string{
		{"AWS_ENDPOINT_URL", s.Endpoint()},
		{"AWS_REGION", s.Region},
		{"AWS_DEFAULT_REGION", s.Region}, // the AWS CLI v1 and botocore read only this one
		{"AWS_ACCESS_KEY_ID", k.AccessKey},
		{"AWS_SECRET_ACCESS_KEY", k.SecretKey},
		{"AWS_ACCOUNT_ID", s.Account},
		{"AWS_EC2_METADATA_DISABLED", "true"}, // no SDK should look for other keys on the link-local address
		{"AWS_PAGER", ""},
	} {
		fmt.Fprintf(&b, "export %s=%s\n", v[0], shellQuote(v[1]))
	}
	// A session token left from a real account would be sent along and refused; a profile would win over the keys.
	b.WriteString("unset AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE\n")
	return b.String()
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
