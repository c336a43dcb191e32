package report

import "strings"

// ClusterOf is the cluster of a task: tasks on FARGATE may be of others than the node's, which is that of an ARN that names none.
func ClusterOf(taskARN, node string) string {
	if parts := strings.Split(taskARN, "/"); len(parts) == 3 {
		return parts[1]
	}
	return node
}
