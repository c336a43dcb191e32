package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/berth-ecs/berth/cmd/berth/tryout"
	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/rootkeys"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/client"
	"github.com/berth-ecs/berth/wire/sigv4"
)

type envCommand struct {
	Terraform bool `help:"Print a provider for Terraform instead, which sends what the region serves to it: a file such as berth_override.tf."`
	Agent     bool `help:"Print the environment of an amazon-ecs-agent that joins the region instead, as docker run --env-file reads it."`
}

func (c envCommand) Run(a *app) error {
	keys, err := a.keys()
	if err != nil {
		return fmt.Errorf("env: %w", err)
	}
	if c.Agent {
		a.printf("%s", agentEnvironment(a.settings, keys))
		return nil
	}
	if c.Terraform {
		a.printf("%s", terraformProvider(a.settings, keys, a.parts.services()))
		return nil
	}
	a.printf("%s", exports(a.settings, keys))
	return nil
}

// keys returns the root keys of the account: those given, or those the region made. Given ones are of the account that the installation's
// settings name; a flag may ask for another's.
func (a *app) keys() (rootkeys.Keys, error) {
	if a.settings.AccessKey != "" && a.settings.Account == a.installed {
		return rootkeys.Keys{AccessKey: a.settings.AccessKey, SecretKey: a.settings.SecretKey}, nil
	}
	keys, err := rootkeys.Read(rootkeys.Of{DataDir: a.settings.DataDir, Account: a.settings.Account})
	if errors.Is(err, fs.ErrNotExist) && tryout.There(a.settings.DataDir) {
		keys, err = a.serversKeys()
	}
	if m, no := client.Load(a.settings.DataDir); errors.Is(err, fs.ErrNotExist) && no == nil && m.Role == joining.Node {
		return keys, errors.New("this machine is a node, which has no root keys: say it on a server's")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return keys, fmt.Errorf("no keys in %s yet for account %s: they are made when the region first starts with it among its accounts (berth up)",
			a.settings.DataDir, a.settings.Account)
	}
	return keys, err
}

// rootSigner signs requests to a service as root.
func (a *app) rootSigner(service string) (sigv4.Signer, error) {
	keys, err := a.keys()
	return sigv4.Signer{
		Credentials: sigv4.Credentials{AccessKey: keys.AccessKey, Secret: keys.SecretKey},
		Scope:       sigv4.Scope{Region: a.settings.Region, Service: service},
	}, err
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
		{"AWS_EC2_METADATA_DISABLED", "true"},         // no SDK should look for other keys on the link-local address
		{"AWS_DISABLE_HOST_PREFIX_INJECTION", "true"}, // DiscoverInstances would look for the host data-127.0.0.1
		{"AWS_PAGER", ""},
	} {
		fmt.Fprintf(&b, "export %s=%s\n", v[0], shellQuote(v[1]))
	}
	if at := s.DNS(); at.IsValid() { // dig @$REGION_DNS_HOST -p $REGION_DNS_PORT web.prod.local
		fmt.Fprintf(&b, "export REGION_DNS_HOST=%s\nexport REGION_DNS_PORT=%d\n", shellQuote(at.Addr().String()), at.Port())
	}
	// A session token left from a real account would be sent along and refused; a profile would win over the keys.
	b.WriteString("unset AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE\n")
	return b.String()
}

// agentEnvironment is what the ECS agent reads. It takes no quotes: the values have no spaces.
func agentEnvironment(s config.Settings, k rootkeys.Keys) string {
	var b strings.Builder
	endpoint := s.AgentEndpoint()
	switch {
	case endpoint == "":
		endpoint = s.Endpoint()
		b.WriteString("# The region serves agents of this machine only: give it agent-listen for others.\n")
	case s.AgentCertificate == "":
		fmt.Fprintf(&b, "# Copy %s to the agent's machine, to where SSL_CERT_FILE says.\nSSL_CERT_FILE=%s\n", authority.Path(s.DataDir), agentTrust)
	}
	for _, v := range [][2]string{
		{"ECS_BACKEND_HOST", endpoint},
		{"ECS_CLUSTER", s.Cluster},
		{"ECS_EXTERNAL", "true"},
		{"AWS_DEFAULT_REGION", s.Region},
		{"AWS_ACCESS_KEY_ID", k.AccessKey},
		{"AWS_SECRET_ACCESS_KEY", k.SecretKey},
		{"AWS_EC2_METADATA_DISABLED", "true"},
	} {
		fmt.Fprintf(&b, "%s=%s\n", v[0], v[1])
	}
	return b.String()
}

// agentTrust is where an agent finds the authority's certificate.
const agentTrust = "/etc/ecs/berth-ca.pem"

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
