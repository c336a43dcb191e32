package request

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// What is accepted may be part of a key, whatever a client sends.
func TestReferencesAreFitForKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`arn:aws:ecs:us-east-1:000000000000:(cluster|task|service)(/[a-z/ ]{0,4}){0,3}`),
			rapid.StringMatching(`[a-z/:]{0,6}`),
		).Draw(t, "reference")
		fit := func(what, part string, err error) {
			var e *aws.Error
			switch {
			case err == nil && (part == "" || strings.ContainsAny(part, "/: ")):
				t.Fatalf("%s: %q is accepted as %q", what, s, part)
			case err != nil && (!errors.As(err, &e) || e.Message == ""):
				t.Fatalf("%s: %v", what, err)
			}
		}
		name, err := ClusterName(us, &s)
		fit("cluster", name, err)
		id, err := MemberID(us, "default", "task", s)
		fit("task", id, err)
		r, err := ParseRevision(us, s)
		fit("task definition", r.Family, err)
	})
}

func TestReferences(t *testing.T) {
	for _, c := range []struct{ ref, want string }{
		{"t", "t"}, {us.TaskARN("default", "t"), "t"}, {"arn:aws:ecs:us-east-1:000000000000:task/t", "t"},
	} {
		if got, err := MemberID(us, "default", "task", c.ref); got != c.want || err != nil {
			t.Errorf("%s: %q %v", c.ref, got, err)
		}
	}
	for _, c := range []struct {
		ref  string
		want Revision
	}{
		{"web", Revision{"web", 0}}, {"web:7", Revision{"web", 7}}, {us.TaskDefinitionARN("web", 7), Revision{"web", 7}},
	} {
		if got, err := ParseRevision(us, c.ref); got != c.want || err != nil {
			t.Errorf("%s: %+v %v", c.ref, got, err)
		}
	}
	if name, err := ClusterName(us, nil); name != "default" || err != nil {
		t.Errorf("no reference: %q %v", name, err)
	}
}
