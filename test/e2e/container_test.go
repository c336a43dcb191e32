package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
)

func TestContainerIsWhatItsDefinitionSays(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*types.ContainerDefinition)
		script string
		want   string
	}{
		"entryPoint and command": {
			change: func(c *types.ContainerDefinition) {
				c.EntryPoint, c.Command = []string{"echo", "one"}, []string{"two", "$HOME"}
			},
			want: "one two $HOME",
		},
		"environment": {
			change: func(c *types.ContainerDefinition) {
				c.Environment = []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("x=y z")}, {Name: aws.String("E"), Value: aws.String("")}}
			},
			script: `echo "[$A] [${E-unset}] [$PATH] $AWS_EXECUTION_ENV $AWS_REGION"`,
			want:   "[x=y z] [] [/bin] AWS_ECS_EC2 us-east-1",
		},
		"user by number":       {change: user("1000:2000"), script: "id -u; id -g", want: "1000\n2000"},
		"user by name":         {change: user("app"), script: "id -un; id -G", want: "app\n1000 2000"},
		"unknown number":       {change: user("4711"), script: "id -u; id -g", want: "4711\n0"},
		"workingDirectory":     {change: func(c *types.ContainerDefinition) { c.WorkingDirectory = aws.String("/home/app") }, script: "pwd", want: "/home/app"},
		"missing workdir":      {change: func(c *types.ContainerDefinition) { c.WorkingDirectory = aws.String("/new/place") }, script: "pwd", want: "/new/place"},
		"hostname":             {change: func(c *types.ContainerDefinition) { c.Hostname = aws.String("here") }, script: "hostname; grep -c here /etc/hosts", want: "here\n1"},
		"extraHosts":           {change: extraHost("db", "10.9.8.7"), script: "grep -w db /etc/hosts", want: "10.9.8.7\tdb"},
		"ulimits":              {change: ulimit(types.UlimitNameNofile, 1234, 2345), script: "ulimit -Sn; ulimit -Hn", want: "1234\n2345"},
		"writable root":        {script: "echo x > /new && cat /new", want: "x"},
		"read-only root":       {change: func(c *types.ContainerDefinition) { c.ReadonlyRootFilesystem = aws.Bool(true) }, script: "touch /new 2>/dev/null || echo refused; echo ok > /dev/null && echo dev", want: "refused\ndev"},
		"is process 1":         {script: "echo $$", want: "1"},
		"capabilities":         {script: "grep CapEff /proc/self/status | tr -d '\\t'", want: "CapEff:00000000a80425fb"},
		"confinement":          {script: "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'", want: "NoNewPrivs:1\nSeccomp:2"},
		"may not mount":        {script: "mount -t tmpfs x /tmp 2>/dev/null || echo refused", want: "refused"},
		"masked and read-only": {script: "wc -c < /proc/keys; echo 1 2>/dev/null > /proc/sys/kernel/panic || echo refused", want: "0\nrefused"},
		"added and dropped capabilities": {
			change: func(c *types.ContainerDefinition) {
				c.LinuxParameters = &types.LinuxParameters{Capabilities: &types.KernelCapabilities{Add: []string{"NET_ADMIN"}, Drop: []string{"CHOWN"}}}
			},
			script: "grep CapEff /proc/self/status | tr -d '\\t'", want: "CapEff:00000000a80435fa",
		},
		"privileged": {
			change: func(c *types.ContainerDefinition) { c.Privileged = aws.Bool(true) },
			script: "mount -t tmpfs x /tmp && echo mounted; grep ^Seccomp: /proc/self/status | tr -d '\\t'; [ -e /dev/kmsg ] && echo devices",
			want:   "mounted\nSeccomp:0\ndevices",
		},
		"tmpfs": {
			change: func(c *types.ContainerDefinition) {
				c.LinuxParameters = &types.LinuxParameters{Tmpfs: []types.Tmpfs{{ContainerPath: aws.String("/scratch"), Size: 3}}}
			},
			script: "grep ' /scratch ' /proc/mounts | grep -o 'size=[0-9]*k'", want: "size=3072k",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := script("main", test.script)
			if test.change != nil {
				test.change(&c)
			}
			if diff := cmp.Diff(test.want, printed(t, c)); diff != "" {
				t.Errorf("the container saw (-want +got):\n%s", diff)
			}
		})
	}
}

func user(s string) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) { c.User = aws.String(s) }
}

func extraHost(name, address string) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) {
		c.ExtraHosts = []types.HostEntry{{Hostname: aws.String(name), IpAddress: aws.String(address)}}
	}
}

func ulimit(name types.UlimitName, soft, hard int32) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) {
		c.Ulimits = []types.Ulimit{{Name: name, SoftLimit: soft, HardLimit: hard}}
	}
}

// An image's own entry point, command, environment, user and directory hold where the definition says nothing; its health check never does.
func TestImageSaysWhatTheDefinitionDoesNot(t *testing.T) {
	t.Parallel()
	registry, err := images.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = registry.Close() })
	spec, err := images.Busybox(v1.Config{
		Entrypoint: []string{"sh", "-c"}, Cmd: []string{`echo "$FROM $(id -un) $(pwd)"`}, Env: []string{"PATH=/bin", "FROM=image", "AWS_REGION=mars"},
		User: "app", WorkingDir: "/home/app", Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "false"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := registry.Push("own:1", spec)
	if err != nil {
		t.Fatal(err)
	}
	task := finished(t, define(t, types.ContainerDefinition{Name: aws.String("main"), Image: &ref, Memory: aws.Int32(32)}))
	equal(t, "output", strings.TrimSpace(output(t, *task.TaskArn, "main")), "image app /home/app")
	c := containerOf(t, task, "main")
	equal(t, "image", aws.ToString(c.Image), ref)
	equal(t, "health", c.HealthStatus, types.HealthStatusUnknown)
	if digest := aws.ToString(c.ImageDigest); !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(digest) {
		t.Errorf("imageDigest is %q", digest)
	}
	if aws.ToString(c.RuntimeId) == "" {
		t.Error("runtimeId is missing")
	}
	// The same image by its digest.
	pinned := strings.TrimSuffix(ref, ":1") + "@" + aws.ToString(c.ImageDigest)
	again := finished(t, define(t, types.ContainerDefinition{Name: aws.String("main"), Image: &pinned, Memory: aws.Int32(32)}))
	equal(t, "digest of the pinned", aws.ToString(containerOf(t, again, "main").ImageDigest), aws.ToString(c.ImageDigest))
}
