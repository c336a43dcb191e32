package ecs

import (
	"fmt"
	"strconv"
	"strings"
)

// arn builds "arn:aws:ecs:REGION:ACCOUNT:KIND/part/part".
func (h Home) arn(kind string, parts ...string) string {
	return "arn:" + Partition + ":ecs:" + h.Region + ":" + h.Account + ":" + kind + "/" + strings.Join(parts, "/")
}

// ClusterARN names a cluster.
func (h Home) ClusterARN(name string) string { return h.arn("cluster", name) }

// InstanceARN names a container instance in its long form.
func (h Home) InstanceARN(cluster, id string) string {
	return h.arn("container-instance", cluster, id)
}

// TaskARN names a task in its long form.
func (h Home) TaskARN(cluster, id string) string { return h.arn("task", cluster, id) }

// ContainerARN names a container of a task.
func (h Home) ContainerARN(cluster, task, id string) string {
	return h.arn("container", cluster, task, id)
}

// ServiceARN names a service in its long form.
func (h Home) ServiceARN(cluster, name string) string { return h.arn("service", cluster, name) }

// TaskDefinitionARN names a revision of a family.
func (h Home) TaskDefinitionARN(family string, revision int32) string {
	return h.arn("task-definition", fmt.Sprintf("%s:%d", family, revision))
}

// ServiceRevisionARN names the revision that a deployment rolls out. Its tail
// is the digits of the deployment's id.
func (h Home) ServiceRevisionARN(cluster, service, deploymentID string) string {
	return h.arn("service-revision", cluster, service, strings.TrimPrefix(deploymentID, DeploymentPrefix))
}

// ServiceDeploymentARN names a service deployment.
func (h Home) ServiceDeploymentARN(cluster, service, id string) string {
	return h.arn("service-deployment", cluster, service, id)
}

// DeploymentPrefix starts the id of every deployment of a service.
const DeploymentPrefix = "ecs-svc/"

// ARN is a parsed Amazon resource name of this wing.
type ARN struct {
	Home
	Kind  string   // "cluster", "task", "service", "container-instance", "task-definition", ...
	Parts []string // what follows the kind, split at "/"
}

// ParseARN reads an ECS ARN. It answers false for anything else. The home it answers is
// fit for a key; the parts may be empty.
func ParseARN(s string) (ARN, bool) {
	f := strings.SplitN(s, ":", 6)
	if len(f) != 6 || f[0] != "arn" || f[2] != "ecs" {
		return ARN{}, false
	}
	kind, rest, ok := strings.Cut(f[5], "/")
	if home := f[3] + f[4]; !ok || rest == "" || f[3] == "" || f[4] == "" || strings.Contains(home, "/") {
		return ARN{}, false
	}
	return ARN{Home: Home{Account: f[4], Region: f[3]}, Kind: kind, Parts: strings.Split(rest, "/")}, true
}

// RevisionOf takes the ARN of a task definition apart.
func RevisionOf(arn string) (h Home, family string, revision int32, ok bool) {
	a, ok := ParseARN(arn)
	if !ok || len(a.Parts) != 1 {
		return h, "", 0, false
	}
	family, number, _ := strings.Cut(a.Parts[0], ":")
	n, err := strconv.ParseInt(number, 10, 32)
	return a.Home, family, int32(n), err == nil && family != ""
}

// ShortID answers the last part of an ARN, or the string itself.
func ShortID(s string) string {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		return s[i+1:]
	}
	return s
}
