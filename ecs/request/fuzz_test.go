package request

import (
	"errors"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// A reference is refused with a client's error, or it is fit for a key and means what the ARN of its answer means.
func FuzzReferences(f *testing.F) {
	for _, s := range []string{
		"", "default", "web:7", "web:0", "web:99999999999", us.ClusterARN("default"), us.TaskARN("default", "0123456789abcdef0123456789abcdef"),
		us.ServiceARN("default", "web"), us.TaskDefinitionARN("web", 7), us.InstanceARN("other", "i"), "arn:aws:ecs:us-east-1:000000000000:task/t",
		"arn:aws:ecs:::cluster/", "arn:aws:ecs:us-east-1:000000000000:cluster//", "arn:aws:ecs:a/b:c:task/x/y", "arn::ecs::::::", "a/b", "\x00", "日本",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name, err := ClusterName(us, &s); accepted(t, name, err) {
			means(t, name, us.ClusterARN(name), func(ref string) (string, error) { return ClusterName(us, &ref) })
		}
		for _, kind := range []string{"task", "service", "container-instance"} {
			if id, err := MemberID(us, "default", kind, s); accepted(t, id, err) {
				long := map[string]string{"task": us.TaskARN("default", id), "service": us.ServiceARN("default", id), "container-instance": us.InstanceARN("default", id)}
				means(t, id, long[kind], func(ref string) (string, error) { return MemberID(us, "default", kind, ref) })
			}
		}
		if id, err := TaskID(us, "default", s); accepted(t, id, err) && len(id) != 32 && len(id) != 36 {
			t.Errorf("%q is the id of a task", id)
		}
		if r, err := ParseRevision(us, s); accepted(t, r.Family, err) && r.Number != 0 {
			exact, err := ExactRevision(us, us.TaskDefinitionARN(r.Family, r.Number))
			if err != nil || exact != r {
				t.Errorf("%q is %+v, its ARN %+v (%v)", s, r, exact, err)
			}
		}
		if a, ok := ecs.ParseARN(s); ok && (a.Region == "" || a.Account == "" || len(a.Parts) == 0) {
			t.Errorf("%q is the ARN %+v", s, a)
		}
	})
}

func accepted(t *testing.T, part string, err error) bool {
	t.Helper()
	if e, ok := errors.AsType[*aws.Error](err); err != nil && (!ok || e.Message == "" || e.Code == "") {
		t.Errorf("not a client's error: %v", err)
	}
	if err == nil && !ValidName.MatchString(part) {
		t.Errorf("%q may be part of a key", part)
	}
	return err == nil
}

// means: the long ARN of what was found finds it again.
func means(t *testing.T, part, arn string, find func(string) (string, error)) {
	t.Helper()
	if again, err := find(arn); err != nil || again != part {
		t.Errorf("%s finds %q (%v)", arn, again, err)
	}
}
