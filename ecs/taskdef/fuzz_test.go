package taskdef

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Whatever can be read is refused with the client's error, or accepted for good.
func FuzzBuild(f *testing.F) {
	files, err := filepath.Glob("testdata/good/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, text := range samples {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := new(shape.RegisterTaskDefinitionRequest)
		if json.Unmarshal(b, in) != nil {
			return
		}
		d, err := Build(in, facts)
		var e *aws.Error
		switch {
		case err == nil:
			again(t, d)
		case !errors.As(err, &e) || e.Code != shape.CodeClientException || e.Message == "":
			t.Errorf("no client's error: %v", err)
		}
	})
}
