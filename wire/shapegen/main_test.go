package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is in the tree is what the models say: generating again changes nothing.
func TestGeneratedIsCurrent(t *testing.T) {
	for _, dirs := range [][2]string{{"../../models", "../shape"}, {"../internal/toy/models", "../internal/toy"}} {
		out := t.TempDir()
		if err := run(dirs[0], out); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(out, "*", "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			rel, err := filepath.Rel(out, f)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(dirs[1], rel))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is not what the model says (%v): run make generate", rel, err)
			}
		}
	}
}

func TestRefusedModels(t *testing.T) {
	for name, tt := range map[string]struct{ model, says string }{
		"not json":        {`{`, "unexpected end"},
		"unknown shape":   {`{"shapes":{"A":{"type":"structure","members":{"b":{"shape":"B"}}}}}`, `no shape "B"`},
		"unknown type":    {`{"shapes":{"A":{"type":"tuple"}}}`, `type "tuple" is not supported`},
		"list of nothing": {`{"shapes":{"A":{"type":"list"}}}`, "list has no member"},
		"required":        {`{"shapes":{"A":{"type":"structure","required":["b"]}}}`, `"b" is not a member`},
		"look-ahead":      {`{"shapes":{"A":{"type":"string","pattern":"(?!x).*"}}}`, "no Go form"},
	} {
		if _, err := generate("x", []byte(tt.model), nil); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error %v, want %s", name, err, tt.says)
		}
	}
}

func TestNames(t *testing.T) {
	for value, want := range map[string]string{
		"FARGATE": "Fargate", "EssentialContainerExited": "EssentialContainerExited", "container-instance": "ContainerInstance", "PRE_SCALE_UP": "PreScaleUp",
		"X86_64": "X8664", "awsvpc": "Awsvpc", "t4g": "T4g",
	} {
		if got := camel(value); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
	s := scope{}
	if a, b := s.unique("A"), s.unique("A"); a != "A" || b != "A_" {
		t.Errorf("names %s and %s", a, b)
	}
	if got := packageName("acm-pca"); got != "acmpca" {
		t.Errorf("package %s", got)
	}
}

func TestPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		``: ``, `[a-z]+`: `[a-z]+`, `[\u0009\u10000-\u10FFFF]`: `[\x{0009}\x{10000}-\x{10FFFF}]`,
		`[\uD800\uDC00-\uDBFF\uDFFF\r]*`: `[\x{10000}-\x{10FFFF}\r]*`,
	} {
		if got, err := translate(pattern); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", pattern, got, err, want)
		}
	}
}

func TestOverlays(t *testing.T) {
	const model = `{"shapes":{"S":{"type":"string"},"E":{"type":"string","enum":["x"]},"A":{"type":"structure","members":{"b":{"shape":"S"}}}}}`
	for name, tt := range map[string]struct{ overlay, says string }{
		"a new member":       {`{"shapes":{"A":{"members":{"c":{"shape":"S"}}}}}`, ""},
		"a member there is":  {`{"shapes":{"A":{"members":{"b":{"shape":"S"}}}}}`, `has a member "b" already`},
		"of no structure":    {`{"shapes":{"B":{"members":{"c":{"shape":"S"}}}}}`, `no structure "B"`},
		"of no known shape":  {`{"shapes":{"A":{"members":{"c":{"shape":"T"}}}}}`, `no shape "T"`},
		"that is not a JSON": {`{`, "overlay"},
		"a value there is":   {`{"shapes":{"E":{"enum":["x"]}}}`, `has a value "x" already`},
		"of no enum":         {`{"shapes":{"S":{"enum":["x"]}}}`, `no enum "S"`},
		"a new value":        {`{"shapes":{"E":{"enum":["y"]},"A":{"members":{"c":{"shape":"E"}}}}}`, ""},
	} {
		m, err := parse([]byte(model), []byte(tt.overlay))
		switch {
		case tt.says != "":
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: error %v, want %s", name, err, tt.says)
			}
		case err != nil || len(m.Shapes["A"].Members) != 2:
			t.Errorf("%s: %+v %v", name, m, err)
		}
	}
}
