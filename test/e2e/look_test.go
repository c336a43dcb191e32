package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
)

// lookImage has programs that ask for names by Go's resolver, glibc's, musl's and busybox's own.
const lookImage = "test.local/look:1"

var importLook = sync.OnceValue(func() error {
	dir, err := os.MkdirTemp("", "look-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files := []images.File{{Path: "/etc/nsswitch.conf", Body: []byte("hosts: files dns\n")}}
	for name, argv := range map[string][]string{
		"look-go": {"go", "build", "-o", "{}", "./look"}, "look-musl": {"musl-gcc", "-static", "-o", "{}", "testdata/look.c"}, "look-glibc": {"gcc", "-o", "{}", "testdata/look.c"},
	} {
		binary := filepath.Join(dir, name)
		for i := range argv {
			argv[i] = strings.ReplaceAll(argv[i], "{}", binary)
		}
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
		if err := add(&files, "/bin/"+name, binary); err != nil {
			return err
		}
	}
	libraries, err := exec.Command("ldd", filepath.Join(dir, "look-glibc")).Output()
	if err != nil {
		return fmt.Errorf("ldd: %w", err)
	}
	for word := range strings.FieldsSeq(string(libraries)) {
		if strings.HasPrefix(word, "/") {
			if err := add(&files, word, word); err != nil {
				return err
			}
		}
	}
	spec, err := images.Busybox(v1.Config{}, files...)
	if err != nil {
		return err
	}
	return region.Import(context.Background(), lookImage, spec)
})

func add(files *[]images.File, path, from string) error {
	body, err := os.ReadFile(from)
	*files = append(*files, images.File{Path: path, Body: body, Mode: 0o755})
	return err
}

// needLook imports lookImage once.
func needLook(t testing.TB) {
	t.Helper()
	if err := importLook(); err != nil {
		t.Fatal(err)
	}
}
