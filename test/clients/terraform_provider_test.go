package clients

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// plugins is where a Terraform that is installed without a network finds its provider.
const plugins = "/opt/tf-plugins"

// workshop is a directory in which Terraform itself works on a configuration.
type workshop struct {
	*testing.T
	dir string
}

// newWorkshop skips the test where Terraform and its AWS provider are not installed, and where there is no time for it.
func newWorkshop(t *testing.T, testdata string) workshop {
	t.Helper()
	if os.Getenv("BERTH_TEST_LONG") == "" {
		t.Skip("takes minutes: BERTH_TEST_LONG=1 runs it")
	}
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skipf("Terraform is not installed: %v", err)
	}
	if _, err := os.Stat(plugins); err != nil {
		t.Skipf("Terraform's AWS provider is not installed: %v", err)
	}
	w := workshop{t, t.TempDir()}
	provider, err := region.Command(t.Context(), "env", "--terraform").Output()
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join("testdata", testdata, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"main.tf": config, "berth_override.tf": provider,
		"terraformrc": []byte(`provider_installation { filesystem_mirror { path = "` + plugins + `" } }`),
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// terraform runs a command; its exit status must be among ok.
func (w workshop) terraform(ok []int, args ...string) string {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), "terraform", args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(w.dir, "terraformrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // its status says it
	if !slices.Contains(ok, cmd.ProcessState.ExitCode()) {
		w.Fatalf("terraform %s: %s\n%s", strings.Join(args, " "), errs.String(), out.String())
	}
	return out.String()
}

// Terraform makes one of each resource about networks, finds nothing to change, changes what can be changed, again finds nothing, sees when
// somebody deleted things behind its back, and destroys everything.
func TestTerraformItself(t *testing.T) {
	w := newWorkshop(t, "terraform")
	vpcs := len(must[ec2.DescribeVpcsOutput](t)(region.EC2().DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})).Vpcs)
	done := []int{0}
	w.terraform(done, "init", "-no-color")
	for _, version := range []string{"v=1", "v=2"} {
		w.terraform(done, "apply", "-no-color", "-auto-approve", "-var", version)
		w.terraform(done, "plan", "-no-color", "-detailed-exitcode", "-var", version) // 2: there is something to do
	}
	var said map[string]struct{ Value any }
	if err := json.Unmarshal([]byte(w.terraform(done, "output", "-json")), &said); err != nil || said["unattached"].Value != "blackhole" {
		t.Errorf("%+v %v", said, err)
	}
	w.behindItsBack()
	w.terraform(done, "destroy", "-no-color", "-auto-approve", "-var", "v=2")
	if left := must[ec2.DescribeVpcsOutput](t)(region.EC2().DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})).Vpcs; len(left) != vpcs {
		t.Errorf("%d VPCs, there were %d", len(left), vpcs)
	}
}

// behindItsBack deletes what Terraform made, by the API, and says that a plan wants to make it again.
func (w workshop) behindItsBack() {
	w.Helper()
	ctx, c := w.Context(), region.EC2()
	ids := w.ids()
	nat, eip := ids["aws_nat_gateway.a"], ids["aws_eip.nat"]
	must[ec2.DeleteNatGatewayOutput](w.T)(c.DeleteNatGateway(ctx, &ec2.DeleteNatGatewayInput{NatGatewayId: &nat}))
	must[ec2.ReleaseAddressOutput](w.T)(c.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: &eip}))
	plan := w.terraform([]int{2}, "plan", "-no-color", "-detailed-exitcode", "-var", "v=2")
	for _, wanted := range []string{"aws_nat_gateway.a will be created", "aws_eip.nat will be created", "aws_route.nat will be updated in-place"} {
		if !strings.Contains(plan, wanted) {
			w.Errorf("not %q, but\n%s", wanted, plan)
		}
	}
}

// ids are those of the first instances of resources that Terraform made.
func (w workshop) ids() map[string]string {
	w.Helper()
	var state struct {
		Resources []struct {
			Type, Name string
			Instances  []struct {
				Attributes struct{ ID string }
			}
		}
	}
	if err := json.Unmarshal([]byte(w.terraform([]int{0}, "state", "pull")), &state); err != nil {
		w.Fatal(err)
	}
	ids := map[string]string{}
	for _, r := range state.Resources {
		if len(r.Instances) > 0 {
			ids[r.Type+"."+r.Name] = r.Instances[0].Attributes.ID
		}
	}
	return ids
}
