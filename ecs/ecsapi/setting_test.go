package ecsapi

import (
	"slices"
	"testing"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

const (
	root = "arn:aws:iam::000000000000:root"
	ann  = "arn:aws:iam::000000000000:user/team/ann"
	ops  = "arn:aws:iam::000000000000:role/ops"
)

// as calls an operation as another principal of the account.
func as[In, Out any](r *region, principal string, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In) (*Out, error) {
	c := caller(op.Info.Name)
	c.Principal = principal
	return guard(h)(r.Context(), c, in)
}

func (r *region) put(name, value, principal string) {
	r.Helper()
	must(r, shape.OpPutAccountSetting, r.api.PutAccountSetting, &shape.PutAccountSettingRequest{Name: &name, Value: &value, PrincipalArn: &principal})
}

// settings are the lines of a list of all pages.
func (r *region) settings(in shape.ListAccountSettingsRequest) []string {
	r.Helper()
	var lines []string
	for {
		out := must(r, shape.OpListAccountSettings, r.api.ListAccountSettings, &in)
		for _, s := range out.Settings {
			lines = append(lines, *s.Name+" "+*s.Value+" "+*s.PrincipalArn+" "+*s.Type)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return lines
		}
	}
}

func TestAccountSettingsOfAFreshAccount(t *testing.T) {
	r := newRegion(t)
	if got := r.settings(shape.ListAccountSettingsRequest{}); len(got) != 0 {
		t.Errorf("nobody chose %v", got)
	}
	want := []string{
		"awsvpcTrunking disabled " + root + " user", "containerInsights disabled " + root + " user",
		"containerInstanceLongArnFormat enabled " + root + " user", "defaultLogDriverMode non-blocking " + root + " user",
		"dualStackIPv6 enabled " + root + " user", "fargateEventWindows disabled " + root + " user",
		"fargateFIPSMode disabled " + root + " user", "fargateTaskRetirementWaitPeriod 7 " + root + " user",
		"guardDutyActivate off " + root + " aws_managed", "serviceLongArnFormat enabled " + root + " user",
		"tagResourceAuthorization on " + root + " user", "taskLongArnFormat enabled " + root + " user",
	}
	if got := r.settings(shape.ListAccountSettingsRequest{EffectiveSettings: aws.Ptr(true)}); !slices.Equal(got, want) {
		t.Errorf("effective: %q", got)
	}
	if got := r.settings(shape.ListAccountSettingsRequest{EffectiveSettings: aws.Ptr(true), MaxResults: aws.Ptr(int32(5))}); !slices.Equal(got, want) {
		t.Errorf("in pages: %q", got)
	}
}

func TestAccountSettingsOfPrincipals(t *testing.T) {
	r := newRegion(t)
	must(r, shape.OpPutAccountSettingDefault, r.api.PutAccountSettingDefault,
		&shape.PutAccountSettingDefaultRequest{Name: aws.Ptr("awsvpcTrunking"), Value: aws.Ptr("enabled")})
	r.put("awsvpcTrunking", "disabled", ann)
	r.put("containerInsights", "enhanced", ops)
	list := func(principal, name string, effective bool) []string {
		return r.settings(shape.ListAccountSettingsRequest{PrincipalArn: &principal, Name: aws.Ptr(name), EffectiveSettings: &effective})
	}
	for _, c := range []struct {
		got  []string
		want string
	}{
		{list(ann, "awsvpcTrunking", true), "awsvpcTrunking disabled " + ann + " user"},
		{list(ops, "awsvpcTrunking", true), "awsvpcTrunking enabled " + root + " user"}, // the root's are everybody's
		{list(ops, "", false), "containerInsights enhanced " + ops + " user"},
		{r.settings(shape.ListAccountSettingsRequest{}), "awsvpcTrunking enabled " + root + " user"},
	} {
		if !slices.Equal(c.got, []string{c.want}) {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	byValue := shape.ListAccountSettingsRequest{PrincipalArn: aws.Ptr(ops), Name: aws.Ptr("containerInsights"), Value: aws.Ptr("disabled")}
	if got := r.settings(byValue); len(got) != 0 {
		t.Errorf("of another value: %q", got)
	}
	out := must(r, shape.OpDeleteAccountSetting, r.api.DeleteAccountSetting, &shape.DeleteAccountSettingRequest{Name: aws.Ptr("awsvpcTrunking"), PrincipalArn: aws.Ptr(ann)})
	if *out.Setting.Value != "enabled" || *out.Setting.PrincipalArn != ann || len(list(ann, "", false)) != 0 {
		t.Errorf("after the deletion: %s of %s, chosen %q", *out.Setting.Value, *out.Setting.PrincipalArn, list(ann, "", false))
	}
}

func TestOnlyTheRootSpeaksOfOthers(t *testing.T) {
	r := newRegion(t)
	own := &shape.PutAccountSettingRequest{Name: aws.Ptr("containerInsights"), Value: aws.Ptr("enabled")}
	out, err := as(r, "arn:aws:sts::000000000000:assumed-role/ops/session", shape.OpPutAccountSetting, r.api.PutAccountSetting, own)
	if err != nil || *out.Setting.PrincipalArn != ops {
		t.Errorf("a session sets its role's: %+v %v", out, err)
	}
	out, err = as(r, "arn:aws:sts::000000000000:federated-user/bob", shape.OpPutAccountSetting, r.api.PutAccountSetting, own)
	if err != nil || *out.Setting.PrincipalArn != root {
		t.Errorf("a federated user has the root's: %+v %v", out, err)
	}
	own.PrincipalArn = aws.Ptr(root)
	_, err = as(r, ann, shape.OpPutAccountSetting, r.api.PutAccountSetting, own)
	refused(t, err, shape.CodeAccessDeniedException, "You must be the root user, or the principal")
}

func TestAccountSettingsTakeEffect(t *testing.T) {
	r := newRegion(t)
	insights := func(principal, name string, in ...shape.ClusterSetting) string {
		out, err := as(r, principal, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{ClusterName: &name, Settings: in})
		if err != nil {
			t.Fatal(err)
		}
		return *out.Cluster.Settings[0].Value
	}
	r.put("containerInsights", "enabled", root)
	r.put("containerInsights", "enhanced", ann)
	if got := insights(root, "a"); got != "enabled" {
		t.Errorf("the account's: %s", got)
	}
	if got := insights(ann, "b"); got != "enhanced" {
		t.Errorf("a user's own: %s", got)
	}
	if got := insights(ann, "c", shape.ClusterSetting{Name: aws.Ptr("containerInsights"), Value: aws.Ptr("disabled")}); got != "disabled" {
		t.Errorf("the request's: %s", got)
	}
}
