package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/cmd/berth/doctor"
	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/rootkeys"
)

// The test binary plays the program, with fakes for the region's rooms, when this variable is set: `berth up` starts
// its own executable.
const playVariable = "BERTH_TEST_PLAY_BERTH"

func TestMain(m *testing.M) {
	if os.Getenv(playVariable) != "" {
		main := invocation{args: os.Args[1:], environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr, parts: fakeParts(), exit: os.Exit}
		os.Exit(run(context.Background(), main))
	}
	os.Exit(m.Run())
}

func fakeParts() parts {
	p := wiredParts()
	p.runServer = func(_ context.Context, p process) error {
		if p.settings.Cluster == "broken" {
			return errors.New("the store's directory is not ours")
		}
		mux := http.NewServeMux()
		mux.HandleFunc(health.ReadyPath, p.ready.Ready)
		mux.HandleFunc("/", instances(p.settings))
		l, err := net.Listen("tcp", p.settings.Listen)
		if err != nil {
			return err
		}
		p.ready.Done("server")
		return http.Serve(l, mux)
	}
	p.runNode = func(ctx context.Context, p process) error { p.ready.Done("node"); <-ctx.Done(); return ctx.Err() }
	p.examine = func(_ context.Context, s config.Settings, _ bool) []doctor.Finding {
		f := doctor.Finding{Check: "port", Level: doctor.OK, Text: "free"}
		if s.Cluster == "blocked" {
			f.Level, f.Text, f.Remedy = doctor.Fail, "taken", "choose another"
		}
		return []doctor.Finding{f}
	}
	p.destroy = func(context.Context, process) error { return nil }
	p.runHold = func(_ context.Context, _ process, args []string) error { return fmt.Errorf("held %q", args) }
	p.coverage = func(w io.Writer) error { _, err := io.WriteString(w, "ecs CreateCluster\n"); return err }
	p.readLog = func(_ context.Context, _ config.Settings, q logQuery, w io.Writer) error {
		_, err := io.WriteString(w, "log of "+q.Task+" "+q.Container+"\n")
		return err
	}
	return p
}

// instances answers what `up` asks: there is one container instance, whose tasks on FARGATE run on what the settings say.
func instances(s config.Settings) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListContainerInstances") {
			_, _ = io.WriteString(w, `{"containerInstanceArns": ["arn:1"]}`)
			return
		}
		runtime := s.FargateRuntime
		if runtime == "auto" {
			runtime = "runc"
		}
		_, _ = fmt.Fprintf(w, `{"containerInstances": [{"attributes": [{"name": "ecs.os-type", "value": "linux"}, {"name": "berth.fargate-runtime", "value": %q}]}]}`, runtime)
	}
}

// call runs one command line in this process.
func call(t *testing.T, environ []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), invocation{
		args: args, environ: environ, stdout: &out, stderr: &errs, parts: fakeParts(), exit: func(int) {},
	})
	return status, out.String(), errs.String()
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "berth.yaml")
	if err := os.WriteFile(file, []byte("region: eu-west-1\nacces-key: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const task = "0123456789abcdef0123456789abcdef"
	tests := map[string]struct {
		environ []string
		args    []string
		status  int
		stdout  string // part of it
		stderr  string // part of it
	}{
		"version":              {args: []string{"version"}, stdout: "berth devel go"},
		"unknown command":      {args: []string{"start"}, status: exitUsage, stderr: "unexpected argument start"},
		"unknown flag, near":   {args: []string{"up", "--regio", "x"}, status: exitUsage, stderr: `did you mean one of "--region"`},
		"unknown flag, far":    {args: []string{"up", "--data-directory-of-state=x"}, status: exitUsage, stderr: "nearest known setting is --data-dir"},
		"wrong value":          {args: []string{"status", "--account=1"}, status: exitUsage, stderr: `account (flag --account): "1" is not 12 digits`},
		"unknown key in file":  {args: []string{"status", "--config", file}, status: exitUsage, stderr: `berth.yaml line 2: unknown setting "acces-key"; the nearest known one is "access-key"`},
		"file that is missing": {args: []string{"status", "--config", dir + "/none"}, status: exitUsage, stderr: "configuration file: open"},
		"unknown variable":     {environ: []string{"BERTH_RUNDIR=/x"}, args: []string{"status"}, status: exitUsage, stderr: "BERTH_RUN_DIR"},
		"env before any start": {args: []string{"env", "--data-dir", dir}, status: exitFailed, stderr: "made when the region first starts"},
		"status of nothing":    {args: []string{"status", "--run-dir", dir}, status: exitFailed, stderr: `no region of installation "berth" runs here`},
		"coverage":             {args: []string{"status", "--coverage"}, stdout: "ecs CreateCluster"},
		"logs by id":           {args: []string{"logs", task, "web", "-f"}, stdout: "log of " + task + " web"},
		"logs by ARN":          {args: []string{"logs", "arn:aws:ecs:us-east-1:000000000000:task/default/" + task}, stdout: "log of " + task},
		"logs of nonsense":     {args: []string{"logs", "web"}, status: exitFailed, stderr: "neither a task id"},
		"down of nothing":      {args: []string{"down", "--run-dir", dir + "/run", "--data-dir", dir}, stdout: "did not run"},
		"doctor, healthy":      {args: []string{"doctor", "--run-dir", dir}, stdout: "free"},
		"doctor, not healthy":  {args: []string{"doctor", "--run-dir", dir, "--cluster", "blocked"}, status: exitFailed, stdout: "-> choose another", stderr: "1 of the checks failed"},
		"up where it cannot":   {args: []string{"up", "--run-dir", dir, "--cluster", "blocked"}, status: exitFailed, stdout: "-> choose another", stderr: "cannot run a region yet"},
		"hold's own flags":     {args: []string{"hold", "--run-dir=/x", "--files=3"}, status: exitFailed, stderr: `hold: held ["--run-dir=/x" "--files=3"]`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := call(t, test.environ, test.args...)
			if status != test.status || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("status %d, want %d\nstdout %q\nstderr %q", status, test.status, stdout, stderr)
			}
		})
	}
}

func TestEnv(t *testing.T) {
	status, out, errs := call(t, []string{"BERTH_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE", "BERTH_SECRET_KEY=it's/+="}, "env", "--region", "eu-west-1")
	if status != exitDone {
		t.Fatal(errs)
	}
	for _, line := range []string{
		"export AWS_ENDPOINT_URL='http://127.0.0.1:4566'", "export AWS_DEFAULT_REGION='eu-west-1'",
		"export AWS_ACCESS_KEY_ID='AKIAIOSFODNN7EXAMPLE'", `export AWS_SECRET_ACCESS_KEY='it'\''s/+='`, "unset AWS_SESSION_TOKEN",
		"export REGION_DNS_HOST='127.0.0.1'\nexport REGION_DNS_PORT=4553\n",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
	if _, out, _ := call(t, []string{"BERTH_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE", "BERTH_SECRET_KEY=secret", "BERTH_DNS_LISTEN=off"}, "env"); strings.Contains(out, "DNS") || !strings.Contains(out, "AWS_REGION") {
		t.Errorf("where no names are answered: %s", out)
	}
}

func TestEnvOfAnAgent(t *testing.T) {
	keys := []string{"BERTH_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE", "BERTH_SECRET_KEY=secret/+="}
	common := "ECS_CLUSTER=default\nECS_EXTERNAL=true\nAWS_DEFAULT_REGION=us-east-1\n" +
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=secret/+=\nAWS_EC2_METADATA_DISABLED=true\n"
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "# The region serves agents of this machine only: give it agent-listen for others.\nECS_BACKEND_HOST=http://127.0.0.1:4566\n"},
		{[]string{"--agent-listen", "192.0.2.7:443", "--data-dir", "/d"},
			"# Copy /d/agent-ca.pem to the agent's machine, to where SSL_CERT_FILE says.\nSSL_CERT_FILE=/etc/ecs/berth-ca.pem\nECS_BACKEND_HOST=https://192.0.2.7\n"},
		{[]string{"--agent-listen", ":443", "--agent-names", "ecs.example.test", "--agent-certificate", "/c", "--agent-key", "/k"},
			"ECS_BACKEND_HOST=https://ecs.example.test\n"},
	} {
		status, out, errs := call(t, keys, append([]string{"env", "--agent"}, test.args...)...)
		if want := test.want + common; status != 0 || out != want {
			t.Errorf("%v: status %d, %q, %s; want %q", test.args, status, out, errs, want)
		}
	}
}

func TestEnvReadsTheRegionsKeys(t *testing.T) {
	dir := t.TempDir()
	keys, err := rootkeys.Ensure(rootkeys.Of{DataDir: dir, Account: "000000000000"}, rootkeys.Keys{}, bytes.NewReader(bytes.Repeat([]byte{7}, 40)))
	if err != nil {
		t.Fatal(err)
	}
	if _, out, errs := call(t, nil, "env", "--data-dir", dir); !strings.Contains(out, keys.AccessKey) || !strings.Contains(out, keys.SecretKey) {
		t.Errorf("%s%s", out, errs)
	}
}

func TestEnvOfAnotherAccount(t *testing.T) {
	dir := t.TempDir()
	own, other := rootkeys.Of{DataDir: dir, Account: "000000000000"}, rootkeys.Of{DataDir: dir, Account: "111111111111"}
	var keys [2]rootkeys.Keys
	for i, of := range []rootkeys.Of{own, other} {
		var err error
		if keys[i], err = rootkeys.Ensure(of, rootkeys.Keys{}, bytes.NewReader(bytes.Repeat([]byte{byte(7 + i)}, 40))); err != nil {
			t.Fatal(err)
		}
	}
	given := []string{"BERTH_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE", "BERTH_SECRET_KEY=x"} // of the installation's own account
	for _, test := range []struct {
		environ []string
		args    []string
		want    string
	}{
		{nil, nil, keys[0].AccessKey},
		{nil, []string{"--account", "111111111111"}, keys[1].AccessKey},
		{given, nil, "AKIAIOSFODNN7EXAMPLE"},
		{given, []string{"--account", "111111111111"}, keys[1].AccessKey},
		{append(given, "BERTH_ACCOUNT=111111111111"), nil, "AKIAIOSFODNN7EXAMPLE"},
		{nil, []string{"--account", "111111111111", "--access-key", "AKIAIOSFODNN7EXAMPLE", "--secret-key", "x"}, "AKIAIOSFODNN7EXAMPLE"},
	} {
		status, out, errs := call(t, test.environ, append([]string{"env", "--data-dir", dir}, test.args...)...)
		if status != exitDone || !strings.Contains(out, "AWS_ACCESS_KEY_ID='"+test.want+"'") {
			t.Errorf("%v %v: want %s, got %s%s", test.environ, test.args, test.want, out, errs)
		}
	}
	if status, _, errs := call(t, nil, "env", "--data-dir", dir, "--account", "222222222222"); status != exitFailed || !strings.Contains(errs, "for account 222222222222") {
		t.Errorf("an account without keys: %d %s", status, errs)
	}
}

func TestEnvForTerraform(t *testing.T) {
	keys := []string{"BERTH_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE", "BERTH_SECRET_KEY=a${b}/+="}
	status, out, errs := call(t, keys, "env", "--terraform", "--region", "eu-west-1")
	if status != exitDone {
		t.Fatal(errs)
	}
	for _, line := range []string{
		"provider \"aws\" {\n", "  region                      = \"eu-west-1\"\n", "  secret_key                  = \"a$${b}/+=\"\n",
		"  skip_credentials_validation = true\n", "    ecs = \"http://127.0.0.1:4566\"\n", "    sts = \"http://127.0.0.1:4566\"\n",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
}

// free returns an address nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestUpAndDown(t *testing.T) {
	t.Setenv(playVariable, "yes")
	dir := t.TempDir()
	settings := []string{"--data-dir", dir + "/data", "--run-dir", dir + "/run", "--listen", free(t), "--access-key", "AKIAIOSFODNN7EXAMPLE", "--secret-key", "x"}
	up := func(args ...string) (int, string, string) {
		return call(t, os.Environ(), append(append([]string{"up"}, settings...), args...)...)
	}
	t.Cleanup(func() { call(t, os.Environ(), append([]string{"down", "--purge"}, settings...)...) })

	status, out, errs := up()
	if status != exitDone || !strings.Contains(out, "ready at http://127.0.0.1:") {
		t.Fatalf("up: %d\n%s%s", status, out, errs)
	}
	status, out, errs = up()
	if status != exitDone || !strings.Contains(out, "runs already") {
		t.Errorf("second up: %d\n%s%s", status, out, errs)
	}
	status, _, errs = up("--foreground")
	if status != exitFailed || !strings.Contains(errs, background.ErrRunning.Error()) {
		t.Errorf("third up, in the foreground: %d %s", status, errs)
	}
	status, out, errs = call(t, os.Environ(), append([]string{"down", "--purge"}, settings...)...)
	if status != exitDone || !strings.Contains(out, "region    stopped") {
		t.Errorf("down: %d\n%s%s", status, out, errs)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestUpSaysWhatFargateRunsOn(t *testing.T) {
	t.Setenv(playVariable, "yes")
	for runtime, want := range map[string]string{
		"auto": "FARGATE tasks run on runc; make sandbox installs gVisor\n", "runc": "FARGATE tasks run on runc; fargate-runtime says so\n", "runsc": "FARGATE tasks run in gVisor sandboxes\n",
	} {
		dir := t.TempDir()
		settings := []string{"--data-dir", dir + "/data", "--run-dir", dir + "/run", "--listen", free(t), "--bin-dir", dir, "--fargate-runtime", runtime,
			"--access-key", "AKIAIOSFODNN7EXAMPLE", "--secret-key", "x"}
		for _, when := range []string{"ready at", "runs already"} {
			status, out, errs := call(t, os.Environ(), append([]string{"up"}, settings...)...)
			if status != exitDone || !strings.Contains(out, when) || strings.Count(out, "fargate   "+want) != 1 {
				t.Errorf("%s: up: %d, want %q in\n%s%s", runtime, status, want, out, errs)
			}
		}
		call(t, os.Environ(), append([]string{"down", "--purge"}, settings...)...)
	}
}

func TestUpShowsWhyItFailed(t *testing.T) {
	t.Setenv(playVariable, "yes")
	dir := t.TempDir()
	status, _, errs := call(t, os.Environ(), "up", "--cluster", "broken", "--data-dir", dir+"/data", "--run-dir", dir+"/run", "--listen", free(t))
	for _, part := range []string{"ended before it was ready", "the store's directory is not ours", "berth.log", "doctor"} {
		if status != exitFailed || !strings.Contains(errs, part) {
			t.Errorf("status %d, no %q in\n%s", status, part, errs)
		}
	}
}
