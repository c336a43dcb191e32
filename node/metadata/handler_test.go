package metadata_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/metadata"
)

// node is a small Source: tasks by endpoint id.
type node struct {
	tasks map[string]metadata.Task
	creds map[string]metadata.Credentials
}

func (n node) Lookup(id string) (metadata.Task, metadata.Container, bool) {
	for _, t := range n.tasks {
		for _, c := range t.Containers {
			if c.EndpointID == id {
				return t, c, true
			}
		}
	}
	return metadata.Task{}, metadata.Container{}, false
}

func (n node) Stats(_ context.Context, container string) (any, error) {
	if strings.HasPrefix(container, "stopped") {
		return nil, errors.New("not running")
	}
	return map[string]string{"id": container}, nil
}

func (n node) Credentials(id string) (metadata.Credentials, metadata.Task, bool) {
	c, ok := n.creds[id]
	return c, n.tasks[c.RoleArn], ok
}

func (n node) IsEndpoint(a netip.Addr) bool {
	return strings.HasPrefix(a.String(), "172.28.0.") && a.String() != "172.28.0.1"
}

func (n node) ByAddress(a netip.Addr) (metadata.Task, bool) {
	return n.tasks["E"], a.String() == "10.0.0.9"
}

func (n node) Tags(context.Context, metadata.Task) (task, instance map[string]string, errs []metadata.Error) {
	return map[string]string{"team": "blue"}, nil, []metadata.Error{{ErrorField: "ContainerInstanceTags", ErrorCode: "AccessDeniedException", StatusCode: 400}}
}

func bridged(id, addr string) metadata.Container {
	shares, restarts := 256.0, 0
	return metadata.Container{
		ID: "docker-" + id, EndpointID: id, Name: id, DockerName: id, Image: "web", ImageID: "sha256:1", Type: "NORMAL",
		DesiredStatus: "RUNNING", KnownStatus: "RUNNING", Limits: metadata.Limits{CPU: &shares}, ContainerARN: "arn:c:" + id, RestartCount: &restarts,
		Ports:    []metadata.Port{{ContainerPort: 80, Protocol: "tcp", HostPort: 49153, HostIP: "0.0.0.0"}},
		Networks: []metadata.Network{{NetworkMode: "bridge", IPv4Addresses: []string{addr}}},
	}
}

func source() node {
	stopped := bridged("a2", "172.28.0.3")
	stopped.ID = "stopped-a2"
	hosted := bridged("h", "")
	hosted.Networks = []metadata.Network{{NetworkMode: "host"}}
	return node{
		tasks: map[string]metadata.Task{
			"A": {Cluster: "default", TaskARN: "arn:A", Family: "a", Revision: "1", KnownStatus: "RUNNING", LaunchType: "EC2",
				Containers:   []metadata.Container{bridged("a1", "172.28.0.2"), stopped},
				Associations: []metadata.Association{{Type: "gpu", Name: "g0", Containers: []string{"a1"}, Value: `{"model":"x"}`}}},
			"E": {TaskARN: "arn:E", Containers: []metadata.Container{bridged("e1", "10.0.0.9")}},
			"B": {TaskARN: "arn:B", Containers: []metadata.Container{bridged("b1", "172.28.0.4")}},
			"H": {TaskARN: "arn:H", Containers: []metadata.Container{hosted}},
		},
		creds: map[string]metadata.Credentials{
			"cred-a": {RoleArn: "A", AccessKeyID: "AKIA", SecretAccessKey: "s", Token: "t", Expiration: "2030-01-01T00:00:00Z"},
			"cred-b": {RoleArn: "B"},
		},
	}
}

func get(t *testing.T, from, path string) (int, string) {
	t.Helper()
	return ask(metadata.Handler(source(), nil), http.MethodGet, from, path, "")
}

func ask(h http.Handler, method, from, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = from + ":40000"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestWhoMayReadWhat(t *testing.T) {
	const a, sibling, b, gateway = "172.28.0.2", "172.28.0.3", "172.28.0.4", "172.28.0.1"
	const eni = "10.0.0.9"
	for _, c := range []struct {
		name, from, path string
		status           int
		holds            string
	}{
		{"own container", a, "/v4/a1", 200, `"DockerId":"docker-a1"`},
		{"own task", a, "/v4/a1/task", 200, `"TaskARN":"arn:A"`},
		{"own task by the sibling's id", sibling, "/v4/a1/task", 200, `"TaskARN":"arn:A"`},
		{"tags", a, "/v4/a1/taskWithTags", 200, `"TaskTags":{"team":"blue"}`},
		{"tags that could not be had", a, "/v4/a1/taskWithTags", 200, `"ErrorCode":"AccessDeniedException"`},
		{"stats", a, "/v4/a1/stats", 200, `{"id":"docker-a1"}`},
		{"task stats", a, "/v4/a1/task/stats", 200, `{"docker-a1":{"id":"docker-a1"},"stopped-a2":null}`},
		{"stats of a stopped one", sibling, "/v4/a2/stats", 500, `"failed to get container stats"`},
		{"version 3", a, "/v3/a1", 200, `"DockerId":"docker-a1"`},
		{"host mode", gateway, "/v4/h/task", 200, `"TaskARN":"arn:H"`},
		{"another task's container", b, "/v4/a1", 404, `"V4 container metadata handler: unable to get container ID`},
		{"another task", b, "/v4/a1/task", 404, `"V4 task metadata handler: unable to get task arn from request: unable to get task Arn from v3 endpoint ID: a1"`},
		{"a bridge task from the host", gateway, "/v4/a1", 404, ""},
		{"a host mode task from the bridge", a, "/v4/h", 404, ""},
		{"unknown id", a, "/v4/nobody", 404, `v3 endpoint ID: nobody"`},
		{"unknown id in version 3", a, "/v3/nobody", 400, `"V3 container metadata handler`},
		{"associations", a, "/v4/a1/associations/gpu", 200, `{"Associations":["g0"]}`},
		{"associations that others of the task have", sibling, "/v4/a2/associations/gpu", 200, `{"Associations":[]}`},
		{"associations in version 3", a, "/v3/a1/associations/gpu", 200, `{"Associations":["g0"]}`},
		{"an association", a, "/v4/a1/associations/gpu/g0", 200, `{"model":"x"}`},
		{"an association nobody has", a, "/v4/a1/associations/gpu/g1", 400, `"Unable to write container association response: unable to get association from association type gpu and association name g1"`},
		{"another task's associations", b, "/v4/a1/associations/gpu", 400, `"V4 container associations handler: unable to get container ID`},
		{"version 2 on the bridge", a, "/v2/metadata", 400, `"Unable to get task arn from request: unable to associate '172.28.0.2' with task"`},
		{"version 2", eni, "/v2/metadata", 200, `"TaskARN":"arn:E"`},
		{"version 2 with tags", eni, "/v2/metadataWithTags", 200, `"TaskTags":{"team":"blue"}`},
		{"version 2 of a container", eni, "/v2/metadata/docker-e1", 200, `"DockerId":"docker-e1"`},
		{"version 2 of another task's container", eni, "/v2/metadata/docker-a1", 400, `"Unable to generate metadata for container 'docker-a1'"`},
		{"version 2 stats", eni, "/v2/stats", 200, `{"docker-e1":{"id":"docker-e1"}}`},
		{"version 2 stats of a container", eni, "/v2/stats/docker-e1", 200, `{"id":"docker-e1"}`},
		{"unknown question", a, "/v4/a1/secrets", 404, ""},
		{"credentials", a, "/v2/credentials/cred-a", 200, `"AccessKeyId":"AKIA"`},
		{"credentials, old path", a, "/v1/credentials?id=cred-a", 200, `"SecretAccessKey":"s"`},
		{"another task's credentials", b, "/v2/credentials/cred-a", 400, `{"code":"InvalidIdInRequest","message":"CredentialsV2Request: Credentials not found","HTTPErrorCode":400}`},
		{"unknown credentials", a, "/v2/credentials/x", 400, `"InvalidIdInRequest"`},
		{"no credentials id", a, "/v2/credentials/", 400, `"NoIdInRequest"`},
		{"credentials not there yet", b, "/v2/credentials/cred-b", 503, `"CredentialsUninitialized"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := get(t, c.from, c.path)
			if status != c.status || !strings.Contains(body, c.holds) {
				t.Errorf("%s from %s: %d %s; want %d and %s", c.path, c.from, status, body, c.status, c.holds)
			}
		})
	}
}

func TestVersion4Members(t *testing.T) {
	_, body := get(t, "172.28.0.2", "/v4/a1")
	want := `{"DockerId":"docker-a1","Name":"a1","DockerName":"a1","Image":"web","ImageID":"sha256:1",` +
		`"Ports":[{"ContainerPort":80,"Protocol":"tcp","HostPort":49153,"HostIp":"0.0.0.0"}],` +
		`"DesiredStatus":"RUNNING","KnownStatus":"RUNNING","Limits":{"CPU":256},"Type":"NORMAL","ContainerARN":"arn:c:a1",` +
		`"Networks":[{"NetworkMode":"bridge","IPv4Addresses":["172.28.0.2"]}],"RestartCount":0}`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("container (-want +got):\n%s", diff)
	}
}

func TestVersion3LeavesOutWhatCameLater(t *testing.T) {
	_, body := get(t, "172.28.0.2", "/v3/a1/task")
	var task struct {
		LaunchType *string
		Containers []map[string]any
	}
	if err := json.Unmarshal([]byte(body), &task); err != nil {
		t.Fatal(err)
	}
	if task.LaunchType != nil || len(task.Containers) != 2 {
		t.Errorf("task %s: want two containers and no launch type", body)
	}
	if _, ok := task.Containers[0]["ContainerARN"]; ok {
		t.Errorf("container %v: version 3 has no ContainerARN", task.Containers[0])
	}
}

// many is a Source with a task of its own for each of n containers.
func many(n int) node {
	out := node{tasks: map[string]metadata.Task{}}
	for i := range n {
		id := fmt.Sprintf("c%d", i)
		out.tasks[id] = metadata.Task{TaskARN: "arn:" + id, Containers: []metadata.Container{bridged(id, callerOf(i))}}
	}
	return out
}

func callerOf(i int) string { return fmt.Sprintf("172.28.%d.%d", 1+i/200, 2+i%200) }

// The answer to one container never holds another's, whatever 300 of them ask at once, and nobody is refused for the others.
func TestManyCallersAtOnce(t *testing.T) {
	const callers, times = 300, 20
	h := metadata.Handler(many(callers), nil)
	done := make(chan string)
	for i := range callers {
		go func() {
			id := fmt.Sprintf("c%d", i)
			for range times {
				for path, want := range map[string]string{
					"/v4/" + id: `"Name":"` + id + `"`, "/v4/" + id + "/task": `"TaskARN":"arn:` + id + `"`, "/v3/" + id + "/stats": `{"id":"docker-` + id + `"}`,
				} {
					if status, body := ask(h, http.MethodGet, callerOf(i), path, ""); status != http.StatusOK || !strings.Contains(body, want) {
						done <- fmt.Sprintf("%s asked %s: %d %s", id, path, status, body)
						return
					}
				}
			}
			done <- ""
		}()
	}
	for range callers {
		if wrong := <-done; wrong != "" {
			t.Error(wrong)
		}
	}
}
