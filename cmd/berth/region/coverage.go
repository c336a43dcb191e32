package region

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/cloudmap/route53api"
	"github.com/berth-ecs/berth/cmd/berth/balancing"
	"github.com/berth-ecs/berth/cmd/berth/identities"
	"github.com/berth-ecs/berth/ecs/ecsapi"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/registry/registryapi"
	"github.com/berth-ecs/berth/vpc/vpcapi"
	"github.com/berth-ecs/berth/wire"
)

// described are the wings as far as what they serve is asked about, not done.
func described() *wire.Mux {
	return NewMux(ecsapi.New(ecsapi.Config{}), registryapi.New(registryapi.Config{}), newVPC(config.Settings{}, nil),
		newCloudMap(config.Settings{}, nil), route53api.New(nil), identities.New(nil, nil), balancing.New(nil, nil))
}

// Services are those of which something is served, by name.
func Services() []string {
	var out []string
	for _, c := range described().Coverage() {
		if c.Served && !slices.Contains(out, c.Service) {
			out = append(out, c.Service)
		}
	}
	return out
}

// WriteCoverage writes, as Markdown, which operations are served and which parameters of them are refused until their part
// exists. Both come from the tables that the code itself uses.
func WriteCoverage(w io.Writer) error {
	if err := wire.WriteCoverage(w, described().Coverage()); err != nil {
		return err
	}
	if _, err := fmt.Fprint(w, "\n## ecs: parameters that are refused\n\n| operations | parameter | error |\n|---|---|---|\n"); err != nil {
		return err
	}
	for _, r := range slices.Concat(request.Refusals, request.Definitions) {
		field := r.Field
		if len(r.Values) > 0 {
			field += ": " + strings.Join(r.Values, ", ")
		}
		if _, err := fmt.Fprintf(w, "| %s | %s | %s: %s |\n", strings.Join(r.Operations, ", "), field, r.Code, r.Message); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprint(w, "\n## ecs: parameters that are kept and have no effect yet\n\n| operations | parameter | until there is |\n|---|---|---|\n"); err != nil {
		return err
	}
	for _, k := range request.Kept {
		if _, err := fmt.Fprintf(w, "| %s | %s | %s |\n", strings.Join(k.Operations, ", "), k.Field, k.Until); err != nil {
			return err
		}
	}
	for _, write := range []func(io.Writer) error{writeRegistryRefusals, writeVPCRefusals, writeKeptAttributes} {
		if err := write(w); err != nil {
			return err
		}
	}
	return nil
}

func writeVPCRefusals(w io.Writer) error {
	if _, err := fmt.Fprint(w, "\n## ec2: parameters that are refused\n\n| operations | parameters | error |\n|---|---|---|\n"); err != nil {
		return err
	}
	for _, r := range vpcapi.Refusals {
		if _, err := fmt.Fprintf(w, "| %s | %s | %s: %s |\n", strings.Join(r.Operations, ", "), strings.Join(r.Fields, ", "), vpcapi.RefusalCode, r.Message); err != nil {
			return err
		}
	}
	return nil
}

func writeRegistryRefusals(w io.Writer) error {
	if _, err := fmt.Fprint(w, "\n## ecr: parameters that are refused\n\n| operations | parameter | error |\n|---|---|---|\n"); err != nil {
		return err
	}
	for _, r := range registryapi.Refusals {
		if _, err := fmt.Fprintf(w, "| %s | %s | %s: %s |\n", strings.Join(r.Operations, ", "), r.Field, registryapi.RefusalCode, r.Message); err != nil {
			return err
		}
	}
	return nil
}

func writeKeptAttributes(w io.Writer) error {
	if _, err := fmt.Fprint(w, "\n## elasticloadbalancing: attributes that are kept and have no effect\n\n| of a | attribute | because |\n|---|---|---|\n"); err != nil {
		return err
	}
	for _, k := range elb.Kept() {
		if _, err := fmt.Fprintf(w, "| %s | `%s` | %s |\n", k.Of, k.Key, k.Why); err != nil {
			return err
		}
	}
	return nil
}
