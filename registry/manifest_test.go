package registry

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var (
	digest1 = "sha256:" + strings.Repeat("1", 64)
	digest2 = "sha256:" + strings.Repeat("2", 64)
)

func part(digest string, size int, more string) string {
	return fmt.Sprintf(`{"mediaType":"t","digest":%q,"size":%d%s}`, digest, size, more)
}

func many(part string, n int) string { return strings.TrimSuffix(strings.Repeat(part+",", n), ",") }

func TestParseManifest(t *testing.T) {
	image := `{"schemaVersion":2,"mediaType":"` + DockerManifest + `","config":` + part(digest1, 3, "") + `,"layers":[` + part(digest2, 4, "") + `,` + part(digest2, 4, "") + `]}`
	m, err := ParseManifest(DockerManifest+"; charset=utf-8", []byte(image))
	if err != nil || !slices.Equal(m.Layers, []string{digest1, digest2}) || m.Size != 11 || m.MediaType != DockerManifest {
		t.Errorf("%+v, %v", m, err)
	}
	foreign := `{"schemaVersion":2,"config":` + part(digest1, 3, "") + `,"layers":[` + part(digest2, 4, `,"urls":["https://x"]`) + `]}`
	if m, err = ParseManifest("", []byte(foreign)); err != nil || len(m.Layers) != 1 || m.MediaType != OCIManifest {
		t.Errorf("a layer that stays elsewhere: %+v, %v", m, err)
	}
	list := `{"schemaVersion":2,"manifests":[` + part(digest1, 1, "") + `],"subject":` + part(digest2, 1, "") + `}`
	if m, err = ParseManifest("", []byte(list)); err != nil || !slices.Equal(m.Children, []string{digest1}) || m.Subject != digest2 || m.MediaType != OCIIndex {
		t.Errorf("%+v, %v", m, err)
	}
	for want, c := range map[string][2]string{
		"not a JSON object":         {"", "x"},
		"says its media type is":    {OCIManifest, image},
		"are not supported":         {"application/x", `{"schemaVersion":2}`},
		"schema version 1":          {"", `{"schemaVersion":1}`},
		"schema version 2 is not":   {OCIManifest, `{"schemaVersion":2,"fsLayers":[]}`},
		"needs a config":            {OCIManifest, `{"schemaVersion":2}`},
		"has no manifests":          {OCIManifest, `{"schemaVersion":2,"config":` + part(digest1, 1, "") + `,"manifests":[]}`},
		"neither config nor layers": {OCIIndex, `{"schemaVersion":2,"config":` + part(digest1, 1, "") + `,"manifests":[]}`},
		"needs manifests":           {OCIIndex, `{"schemaVersion":2}`},
		"not one of SHA-256":        {OCIManifest, `{"schemaVersion":2,"config":` + part("sha256:x", 1, "") + `}`},
		"is negative":               {OCIIndex, `{"schemaVersion":2,"manifests":[` + part(digest1, -1, "") + `]}`},
		"media type \"a/b/c\"":      {"a/b/c", `{}`},
		"at most 4000 layers":       {OCIManifest, `{"schemaVersion":2,"config":` + part(digest1, 1, "") + `,"layers":[` + many(part(digest2, 1, ""), 4001) + `]}`},
		"or manifests":              {OCIIndex, `{"schemaVersion":2,"manifests":[` + many(part(digest1, 1, ""), 4001) + `]}`},
		"at most 255 characters":    {OCIManifest, `{"schemaVersion":2,"config":` + part(digest1, 1, `,"mediaType":"`+strings.Repeat("x", 256)+`"`) + `}`},
		"255 characters":            {OCIIndex, `{"schemaVersion":2,"manifests":[],"artifactType":"` + strings.Repeat("x", 256) + `"}`},
	} {
		if _, err := ParseManifest(c[0], []byte(c[1])); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.200s: %v, want %q", c[1], err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"app": true, "team/app": true, "a-b/c_d.e": true, "a__b": true, "a--b": true, "a": false, "A": false, "/app": false, "app/": false,
		"a//b": false, "a:b": false, "-a": false, "a..b": false, strings.Repeat("a", 256): true, strings.Repeat("a", 257): false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("name %q: %v", name, got)
		}
	}
	for tag, want := range map[string]bool{"latest": true, "_x": true, "v1.0-rc.1": true, "": false, ".x": false, "a/b": false, strings.Repeat("a", 301): false} {
		if got := ValidTag(tag); got != want {
			t.Errorf("tag %q: %v", tag, got)
		}
	}
	h := Home{Account: "123456789012", Region: "eu-central-1"}
	if got, ok := ParseHost(h.Host()); !ok || got != h {
		t.Errorf("host %v, %v", got, ok)
	}
	for _, host := range []string{"docker.io", "123.dkr.ecr.us-east-1.amazonaws.com", "123456789012.dkr.ecr.us-east-1.example.com", "x123456789012.dkr.ecr.us-east-1.amazonaws.com"} {
		if got, ok := ParseHost(host); ok {
			t.Errorf("%s is %v", host, got)
		}
	}
	if got, name, ok := ParseRepositoryARN(h.RepositoryARN("team/app")); !ok || got != h || name != "team/app" {
		t.Errorf("%v %s %v", got, name, ok)
	}
	for _, arn := range []string{"", "arn:aws:ecs:us-east-1:1:repository/app", "arn:aws:ecr:us-east-1:1:app", "arn:aws:ecr::1:repository/app", "arn:aws:ecr:a/b:1:repository/app"} {
		if _, _, ok := ParseRepositoryARN(arn); ok {
			t.Errorf("%s is an ARN", arn)
		}
	}
}

func TestImmutable(t *testing.T) {
	for _, c := range []struct {
		mutability, filter, tag string
		want                    bool
	}{
		{"MUTABLE", "", "v1", false}, {"IMMUTABLE", "", "v1", true},
		{"IMMUTABLE_WITH_EXCLUSION", "dev*", "dev1", false}, {"IMMUTABLE_WITH_EXCLUSION", "dev*", "v1", true},
		{"MUTABLE_WITH_EXCLUSION", "v*", "v1", true}, {"MUTABLE_WITH_EXCLUSION", "v*", "dev", false},
		{"MUTABLE_WITH_EXCLUSION", "*-*-rc", "v-1-rc", true},
	} {
		r := &Repository{Mutability: c.mutability, Exclusions: []string{c.filter}}
		if got := r.Immutable(c.tag); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// A star is any text; nothing else is special, or a lifecycle policy would take images that nobody named.
func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, tag string
		want         bool
	}{
		{"v1", "v1", true}, {"v1", "v10", false}, {"*", "v1", true}, {"v*", "v", true}, {"v*1", "v1", true}, {"v*1", "v", false}, {"a*a", "a", false},
		{"*rc*", "v1-rc2", true}, {"*ab", "aab", true}, {"a*b*c", "aXbXbXc", true}, {"a*b*c", "aXc", false}, {"a**c", "abc", true},
		{"v?", "v1", false}, {"v[12]", "v1", false}, {`v\1`, "v1", false}, {"[", "[", true},
	} {
		if got := Wildcard(c.pattern, c.tag); got != c.want {
			t.Errorf("Wildcard(%q, %q) = %v", c.pattern, c.tag, got)
		}
	}
}
