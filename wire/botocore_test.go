package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The second independent client: botocore, which knows the toys from their models as it knows AWS's services.

var update = flag.Bool("update", false, "write the golden files from what is answered now; read the difference before you commit it")

// TestBotocore runs testdata/client.py, which prints what it got for each call by name.
func TestBotocore(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: the second client cannot run")
	}
	if out, err := exec.Command(python, "-c", "import botocore").CombinedOutput(); err != nil {
		t.Skipf("python3 has no botocore: the second client cannot run: %s", out)
	}
	e := start(t, bindAll, nil)
	cmd := exec.Command(python, filepath.Join("testdata", "client.py"))
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ENDPOINT_URL="+e.url, "AWS_DATA_PATH="+botocoreModels(t), "AWS_MAX_ATTEMPTS=1", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"AWS_EC2_METADATA_DISABLED=true")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	path := filepath.Join("testdata", "botocore.json")
	if *update {
		if err := os.WriteFile(path, out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, want := map[string]string{}, map[string]string{}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(golden, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what botocore got (-want +got):\n%s", diff)
	}
}

// botocoreModels lays the toys' models out as botocore wants them.
func botocoreModels(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"toyjson", "toyquery"} {
		model, err := os.ReadFile(filepath.Join("internal", "toy", "models", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name, "2020-01-01")
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "service-2.json"), model, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
