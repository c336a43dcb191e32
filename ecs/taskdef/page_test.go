package taskdef

import (
	"flag"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	refused "github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/session/compose"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var update = flag.Bool("update", false, "write the page and the golden files")

const page = "../../docs/task-definition.md"

// The page is what the code says.
func TestPage(t *testing.T) {
	if *update {
		if err := os.WriteFile(page, []byte(Page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Page(), string(got)); d != "" {
		t.Errorf("docs/task-definition.md is stale; run make generate (-code +page):\n%s", d)
	}
}

// Each field has a verdict, and each verdict is of a field.
func TestEveryFieldHasAVerdict(t *testing.T) {
	fields := Fields()
	for _, f := range fields {
		if _, ok := VerdictOf(f); !ok {
			t.Errorf("%s has no verdict", f)
		}
	}
	for path := range verdicts {
		if !slices.ContainsFunc(fields, func(f string) bool { return f == path || strings.HasPrefix(f, path+".") }) {
			t.Errorf("the verdict of %s is of no field", path)
		}
	}
}

const volumesFrom = `{"family":"web","volumes":[{"name":"v"}],"containerDefinitions":[
	{"name":"app","image":"web:1","memory":64,"volumesFrom":[{"sourceContainer":"db","readOnly":true}]},
	{"name":"db","image":"db:1","memory":64,"mountPoints":[{"sourceVolume":"v","containerPath":"/v"}]}]}`

// samples are definitions that use the field of a verdict, beside the plain one.
// One that works changes what is placed or what the node makes of it.
var samples = map[string]string{
	"cpu":                                   with("", `"cpu":"256"`),
	"enableFaultInjection":                  with("", `"enableFaultInjection":true`),
	"ephemeralStorage":                      fargate("", `"ephemeralStorage":{"sizeInGiB":30}`),
	"executionRoleArn":                      with("", role),
	"family":                                strings.Replace(with("", ""), `"web"`, `"other"`, 1),
	"inferenceAccelerators":                 with("", `"inferenceAccelerators":[{"deviceName":"d","deviceType":"t"}]`),
	"ipcMode":                               with("", `"ipcMode":"task"`),
	"memory":                                with("", `"memory":"1 GB"`),
	"networkMode":                           with("", `"networkMode":"host"`),
	"pidMode":                               with("", `"pidMode":"task"`),
	"placementConstraints":                  with("", `"placementConstraints":[{"type":"memberOf","expression":"attribute:rack == r1"}]`),
	"proxyConfiguration":                    with("", `"networkMode":"awsvpc","proxyConfiguration":{"containerName":"app","properties":[{"name":"IgnoredUID","value":"1"},{"name":"ProxyIngressPort","value":"1"},{"name":"ProxyEgressPort","value":"2"},{"name":"AppPorts","value":"3"}]}`),
	"runtimePlatform.cpuArchitecture":       with("", `"runtimePlatform":{"cpuArchitecture":"ARM64"}`),
	"runtimePlatform.operatingSystemFamily": with("", `"runtimePlatform":{"operatingSystemFamily":"LINUX"}`),
	"requiresCompatibilities":               with("", `"requiresCompatibilities":["EC2"]`),
	"tags":                                  with("", `"tags":[{"key":"k","value":"v"}]`),
	"taskRoleArn":                           with("", `"taskRoleArn":"r"`),

	containers + "command":                            with(`"command":["a"]`, ""),
	containers + "cpu":                                with(`"cpu":10`, ""),
	containers + "credentialSpecs":                    with(`"credentialSpecs":["credentialspec:arn:a"]`, ""),
	containers + "dependsOn":                          two(`,"dependsOn":[{"containerName":"db","condition":"START"}]`, ""),
	containers + "disableNetworking":                  with(`"disableNetworking":true`, ""),
	containers + "dnsSearchDomains":                   with(`"dnsSearchDomains":["a.b"]`, ""),
	containers + "dnsServers":                         with(`"dnsServers":["10.0.0.1"]`, ""),
	containers + "dockerLabels":                       with(`"dockerLabels":{"a":"b"}`, ""),
	containers + "dockerSecurityOptions":              with(`"dockerSecurityOptions":["no-new-privileges"]`, ""),
	containers + "entryPoint":                         with(`"entryPoint":["a"]`, ""),
	containers + "environment":                        with(`"environment":[{"name":"A","value":"1"}]`, ""),
	containers + "environmentFiles":                   with(`"environmentFiles":[{"type":"s3","value":"arn:aws:s3:::b/k.env"}]`, ""),
	containers + "essential":                          two("", `,"essential":false`),
	containers + "extraHosts":                         with(`"extraHosts":[{"hostname":"a","ipAddress":"10.0.0.1"}]`, ""),
	containers + "firelensConfiguration":              two(`,"firelensConfiguration":{"type":"fluentbit"}`, `,"logConfiguration":{"logDriver":"awsfirelens"}`),
	containers + "healthCheck":                        with(`"healthCheck":{"command":["CMD","true"],"interval":7,"timeout":3,"retries":2,"startPeriod":9}`, ""),
	containers + "healthCheck.command":                with(`"healthCheck":{"command":["CMD-SHELL","true"]}`, ""),
	containers + "hostname":                           with(`"hostname":"h"`, ""),
	containers + "image":                              strings.Replace(with("", ""), "web:1", "web:2", 1),
	containers + "interactive":                        with(`"interactive":true`, ""),
	containers + "links":                              two(`,"links":["db"]`, ""),
	containers + "linuxParameters.capabilities":       with(`"linuxParameters":{"capabilities":{"add":["NET_ADMIN"],"drop":["MKNOD"]}}`, ""),
	containers + "linuxParameters.devices":            with(`"linuxParameters":{"devices":[{"hostPath":"/dev/fuse"}]}`, ""),
	containers + "linuxParameters.initProcessEnabled": with(`"linuxParameters":{"initProcessEnabled":true}`, ""),
	containers + "linuxParameters.maxSwap":            with(`"linuxParameters":{"maxSwap":64}`, ""),
	containers + "linuxParameters.sharedMemorySize":   with(`"linuxParameters":{"sharedMemorySize":64}`, ""),
	containers + "linuxParameters.swappiness":         with(`"linuxParameters":{"maxSwap":64,"swappiness":10}`, ""),
	containers + "linuxParameters.tmpfs":              with(`"linuxParameters":{"tmpfs":[{"containerPath":"/t","size":8,"mountOptions":["noexec"]}]}`, ""),
	containers + "logConfiguration.logDriver":         with(`"logConfiguration":{"logDriver":"none"}`, ""),
	containers + "logConfiguration.options":           with(`"logConfiguration":{"logDriver":"json-file","options":{"max-size":"1m"}}`, ""),
	containers + "logConfiguration.secretOptions":     with(`"logConfiguration":{"logDriver":"json-file","secretOptions":[{"name":"a","valueFrom":"/a"}]}`, role),
	containers + "memory":                             strings.Replace(with("", ""), `"memory":64`, `"memory":65`, 1),
	containers + "memoryReservation":                  with(`"memoryReservation":32`, ""),
	containers + "mountPoints":                        with(`"mountPoints":[{"sourceVolume":"v","containerPath":"/v","readOnly":true}]`, `"volumes":[{"name":"v"}]`),
	containers + "name":                               strings.Replace(with("", ""), `"app"`, `"other"`, 1),
	containers + "portMappings":                       with(`"portMappings":[{"containerPort":80,"hostPort":8080,"protocol":"udp"},{"containerPortRange":"90-99"}]`, ""),
	containers + "portMappings.appProtocol":           with(`"portMappings":[{"containerPort":80,"appProtocol":"http"}]`, ""),
	containers + "portMappings.name":                  with(`"portMappings":[{"containerPort":80,"name":"web"}]`, ""),
	containers + "privileged":                         with(`"privileged":true`, ""),
	containers + "pseudoTerminal":                     with(`"pseudoTerminal":true`, ""),
	containers + "readonlyRootFilesystem":             with(`"readonlyRootFilesystem":true`, ""),
	containers + "repositoryCredentials":              with(`"repositoryCredentials":{"credentialsParameter":"a"}`, role),
	containers + "resourceRequirements":               with(`"resourceRequirements":[{"type":"GPU","value":"1"}]`, ""),
	containers + "restartPolicy":                      with(`"restartPolicy":{"enabled":true}`, ""),
	containers + "secrets":                            with(`"secrets":[{"name":"a","valueFrom":"/a"}]`, role),
	containers + "startTimeout":                       with(`"startTimeout":9`, ""),
	containers + "stopTimeout":                        with(`"stopTimeout":9`, ""),
	containers + "systemControls":                     with(`"systemControls":[{"namespace":"net.core.somaxconn","value":"9"}]`, ""),
	containers + "ulimits":                            with(`"ulimits":[{"name":"nofile","softLimit":1,"hardLimit":2}]`, ""),
	containers + "user":                               with(`"user":"u"`, ""),
	containers + "versionConsistency":                 with(`"versionConsistency":"disabled"`, ""),
	containers + "volumesFrom":                        volumesFrom,
	containers + "workingDirectory":                   with(`"workingDirectory":"/w"`, ""),

	volumes + "configuredAtLaunch":                      with("", `"volumes":[{"name":"v","configuredAtLaunch":true}]`),
	volumes + "dockerVolumeConfiguration":               with("", `"volumes":[{"name":"v","dockerVolumeConfiguration":{"scope":"shared","autoprovision":true}}]`),
	volumes + "dockerVolumeConfiguration.driver":        with("", `"volumes":[{"name":"v","dockerVolumeConfiguration":{"driver":"local"}}]`),
	volumes + "dockerVolumeConfiguration.driverOpts":    with("", `"volumes":[{"name":"v","dockerVolumeConfiguration":{"driverOpts":{"type":"nfs","device":":/x","o":"addr=10.0.0.1"}}}]`),
	volumes + "dockerVolumeConfiguration.labels":        with("", `"volumes":[{"name":"v","dockerVolumeConfiguration":{"labels":{"a":"b"}}}]`),
	volumes + "efsVolumeConfiguration":                  with("", `"volumes":[{"name":"v","efsVolumeConfiguration":{"fileSystemId":"fs-1"}}]`),
	volumes + "fsxWindowsFileServerVolumeConfiguration": with("", `"volumes":[{"name":"v","fsxWindowsFileServerVolumeConfiguration":{"fileSystemId":"fs-1","rootDirectory":"d","authorizationConfig":{"credentialsParameter":"a","domain":"d"}}}]`),
	volumes + "host":                       with("", `"volumes":[{"name":"v","host":{"sourcePath":"/v"}}]`),
	volumes + "name":                       with("", `"volumes":[{"name":"v"}]`),
	volumes + "s3filesVolumeConfiguration": with("", `"volumes":[{"name":"v","s3filesVolumeConfiguration":{"fileSystemArn":"arn:a"}}]`),
}

// These work without changing what a node makes: the server does what they say, the
// node has nothing but Linux, every container has no new privileges, and volumes are
// of the driver local when nothing is said.
var serverSide = []string{
	"requiresCompatibilities", "runtimePlatform.operatingSystemFamily", "tags", containers + "dockerSecurityOptions", volumes + "dockerVolumeConfiguration.driver",
}

// Each verdict's sample goes the whole way: it is registered, placed on a node with
// the attributes of ours, composed into a payload, and planned by the node.
func TestVerdictsAreTrue(t *testing.T) {
	announced := nodeAttributes(t)
	plain := map[bool]outcome{false: follow(t, with("", ""), announced), true: follow(t, two("", ""), announced)}
	for _, path := range slices.Sorted(maps.Keys(verdicts)) {
		t.Run(path, func(t *testing.T) {
			want := verdicts[path]
			text, ok := samples[path]
			if !ok {
				t.Fatal("no sample")
			}
			got := follow(t, text, announced)
			refused := got.how != Works
			changed := !reflect.DeepEqual(got.made, plain[len(got.made.plan.Containers) == 2].made)
			switch {
			case want.How == Differs && refused, want.How == Works && refused, want.How != Works && want.How != Differs && got.how != want.How:
				t.Errorf("%s: %s, not %s", got.how, got.why, want.How)
			case refused && !strings.Contains(want.Note, got.why) && !strings.Contains(got.why, want.Note):
				t.Errorf("%s by %q, not by %q", got.how, got.why, want.Note)
			case want.How == Works && !changed && !slices.Contains(serverSide, path):
				t.Error("changes nothing that is placed or made")
			}
		})
	}
}

// outcome is how far a definition comes, and what is made of it.
type outcome struct {
	how, why string
	made     struct {
		plan  plan.Task
		place any
	}
}

func follow(t *testing.T, text string, announced string) (out outcome) {
	t.Helper()
	doc, err := Build(request(t, text), facts)
	if err != nil {
		return outcome{how: RefusedHere, why: strings.TrimPrefix(err.Error(), "ClientException: ")}
	}
	for _, a := range doc.RequiresAttributes {
		if name := strings.TrimPrefix(strings.TrimPrefix(*a.Name, docker), comAmazon); !strings.Contains(announced, `"`+strings.TrimPrefix(name, capability)+`"`) {
			return outcome{how: RefusedPlace, why: *a.Name}
		}
	}
	launchType := ""
	if slices.Contains(doc.RequiresCompatibilities, shape.CompatibilityFargate) {
		launchType = shape.LaunchTypeFargate
	}
	if err := refused.RefuseDefinition(doc, launchType); err != nil {
		return outcome{how: "refused when it is run", why: err.Error()}
	}
	d := &ecs.TaskDefinition{Home: facts.Home, Family: *doc.Family, Revision: *doc.Revision, Document: *doc}
	place, err := launch.Request(launch.Spec{Home: facts.Home, Cluster: "default", Definition: d, Count: 1, LaunchType: launchType}, 0)
	if err != nil {
		t.Fatal(err)
	}
	task := &ecs.Task{Home: facts.Home, Cluster: "default", ID: strings.Repeat("0", 32), Family: d.Family, Revision: d.Revision, Holds: place.Needs}
	if ecs.HasInterface(doc) {
		task.Interface = &ecs.Interface{ID: "eni-1", Private: netip.MustParseAddr("10.0.0.4"), Gateway: netip.MustParsePrefix("10.0.0.1/24")}
	}
	payload, err := compose.Start(task, d)
	if err != nil {
		t.Fatal(err)
	}
	planned, err := plan.New(payload, plan.Node{Region: "us-east-1", DataDir: "/data", Interfaces: true})
	if err != nil {
		return outcome{how: RefusedStart, why: err.Error()}
	}
	out.how, out.made.plan = Works, *planned
	place.Attributes = nil
	out.made.place = place
	return out
}

// nodeAttributes is where the node's attributes are written.
func nodeAttributes(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../node/agent/attributes.go")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The page calls nothing by a name that the model does not have.
func TestFieldsAreTheModels(t *testing.T) {
	for _, f := range []string{"family", containers + "healthCheck.interval", volumes + "dockerVolumeConfiguration.labels", containers + "dockerLabels"} {
		if !slices.Contains(Fields(), f) {
			t.Errorf("%s is missing", f)
		}
	}
	if n := reflect.TypeFor[shape.RegisterTaskDefinitionRequest]().NumField(); n > len(Fields()) {
		t.Errorf("%d fields of %d members", len(Fields()), n)
	}
}
