// Package images builds the OCI images that tests and the sample service run,
// without a network: from static Go programs and Debian's busybox-static.
//
// Building the same Spec twice gives the same digest. Nothing is left on disk
// but what the caller names.
package images

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// File is one file of an image; with Link it is a symbolic link, with a name
// ending in / a directory.
type File struct {
	Path string // absolute, in the image
	Body []byte
	Mode int64 // 0: 0644, directories 0755
	Link string
}

// Spec is an image: layers of files, bottom first, and its configuration.
type Spec struct {
	Layers       [][]File
	Config       v1.Config
	Architecture string // "": this machine's
}

// Build makes the image.
func Build(s Spec) (v1.Image, error) {
	img := empty.Image
	for _, files := range s.Layers {
		text, err := layer(files)
		if err != nil {
			return nil, err
		}
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
		if err != nil {
			return nil, err
		}
		if img, err = mutate.AppendLayers(img, l); err != nil {
			return nil, err
		}
	}
	cf, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	cf = cf.DeepCopy()
	cf.Config, cf.OS, cf.Architecture = s.Config, "linux", s.Architecture
	if cf.Architecture == "" {
		cf.Architecture = runtime.GOARCH
	}
	return mutate.ConfigFile(img, cf)
}

// layer is a tar of files with their parent directories.
func layer(files []File) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	made := map[string]bool{"/": true}
	for _, f := range files {
		for _, dir := range parents(f.Path) {
			if made[dir] {
				continue
			}
			made[dir] = true
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir[1:] + "/", Mode: 0o755, ModTime: epoch}); err != nil {
				return nil, err
			}
		}
		if err := write(w, f); err != nil {
			return nil, fmt.Errorf("image file %s: %w", f.Path, err)
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

var epoch = time.Unix(0, 0)

func write(w *tar.Writer, f File) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: f.Path[1:], Mode: f.Mode, Size: int64(len(f.Body)), ModTime: epoch}
	if h.Mode == 0 {
		h.Mode = 0o644
	}
	switch {
	case f.Link != "":
		h.Typeflag, h.Linkname, h.Size, h.Mode = tar.TypeSymlink, f.Link, 0, 0o777
	case f.Path[len(f.Path)-1] == '/':
		h.Typeflag = tar.TypeDir
		if f.Mode == 0 {
			h.Mode = 0o755
		}
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	_, err := w.Write(f.Body)
	return err
}

func parents(p string) []string {
	var out []string
	for dir := path.Dir(path.Clean(p)); dir != "/"; dir = path.Dir(dir) {
		out = append(out, dir)
	}
	slices.Reverse(out)
	return out
}

// BusyboxPath is where Debian's busybox-static puts it.
const BusyboxPath = "/bin/busybox"

// applets are the names the busybox image has.
var applets = []string{
	"sh", "cat", "echo", "sleep", "ls", "id", "env", "true", "false", "kill", "ps", "wget", "httpd", "nc", "hostname", "head", "tail",
	"dd", "mount", "umount", "touch", "mkdir", "rm", "grep", "seq", "yes", "date", "wc", "pwd", "test", "ulimit", "printf", "trap", "tr", "stat", "chmod", "sysctl", "ip", "nslookup", "ping", "timeout", "usleep",
}

// Busybox is a small system: /bin with the usual commands, root, "app" (uid
// 1000, groups app and extra), /tmp. files are added on a layer of their own.
func Busybox(config v1.Config, files ...File) (Spec, error) {
	body, err := os.ReadFile(BusyboxPath)
	if err != nil {
		return Spec{}, fmt.Errorf("busybox-static is not installed: %w", err)
	}
	base := []File{
		{Path: "/bin/busybox", Body: body, Mode: 0o755},
		{Path: "/etc/passwd", Body: []byte("root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n")},
		{Path: "/etc/group", Body: []byte("root:x:0:\napp:x:1000:\nextra:x:2000:app\n")},
		{Path: "/root/", Mode: 0o700}, {Path: "/tmp/", Mode: 0o1777}, {Path: "/home/app/"}, {Path: "/proc/"}, {Path: "/sys/"}, {Path: "/dev/"},
	}
	for _, a := range applets {
		base = append(base, File{Path: "/bin/" + a, Link: "busybox"})
	}
	if config.Env == nil {
		config.Env = []string{"PATH=/bin"}
	}
	s := Spec{Layers: [][]File{base}, Config: config}
	if len(files) > 0 {
		s.Layers = append(s.Layers, files)
	}
	return s, nil
}

// Program is an image of one static program and nothing else.
func Program(binary string, config v1.Config) (Spec, error) {
	body, err := os.ReadFile(binary)
	if err != nil {
		return Spec{}, err
	}
	name := "/" + filepath.Base(binary)
	if config.Entrypoint == nil {
		config.Entrypoint = []string{name}
	}
	return Spec{Layers: [][]File{{{Path: name, Body: body, Mode: 0o755}}}, Config: config}, nil
}
