package place

import "slices"

// Capabilities that take a part of the region which is not there yet, whatever an agent says of itself: an unmodified
// ECS agent claims to fetch secrets, and would start the task without them.
var undelivered = []string{
	"com.amazonaws.ecs.capability.task-iam-role",
	"com.amazonaws.ecs.capability.task-iam-role-network-host",
	"com.amazonaws.ecs.capability.logging-driver.awsfirelens",
	"ecs.capability.aws-appmesh",
	"ecs.capability.efs",
	"ecs.capability.efsAuth",
	"ecs.capability.env-files.s3",
	"ecs.capability.execute-command",
	"ecs.capability.firelens.fluentbit",
	"ecs.capability.firelens.fluentd",
	"ecs.capability.fsxWindowsFileServer",
	"ecs.capability.gmsa",
	"ecs.capability.gmsa-domainless",
	"ecs.capability.private-registry-authentication.secretsmanager",
	"ecs.capability.secrets.asm.bootstrap.log-driver",
	"ecs.capability.secrets.asm.environment-variables",
	"ecs.capability.secrets.ssm.bootstrap.log-driver",
	"ecs.capability.secrets.ssm.environment-variables",
	"ecs.capability.storage.ebs-task-volume-attach",
	"ecs.capability.storage.s3-files",
}

// Delivers tells whether this region serves what an instance with the attribute could do.
func Delivers(attribute string) bool { return !slices.Contains(undelivered, attribute) }
