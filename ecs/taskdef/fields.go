package taskdef

// Verdict says what this region does with a field of RegisterTaskDefinition.
type Verdict struct {
	How  string // Works, Differs, or a Refused one
	Note string // how it differs; by which attribute or sentence it is refused
}

// What a verdict can be. A field that is refused is refused by the first of the
// three that stands in its way.
const (
	Works   = "works"
	Differs = "differs"

	RefusedHere  = "refused when it is registered"
	RefusedPlace = "refused when it is placed" // no node has the required attribute
	RefusedStart = "refused when it is started"
)

const (
	containers = "containerDefinitions."
	volumes    = "volumes."
)

// verdicts are by field. A field without a verdict has that of what it is in.
var verdicts = map[string]Verdict{
	"cpu":                  {Works, "A hard limit of all containers together."},
	"enableFaultInjection": {RefusedPlace, "ecs.capability.fault-injection"},
	"ephemeralStorage":     {Works, "On FARGATE, of all containers together; what images take is not part of it. Tasks on EC2 cannot have it."},
	"executionRoleArn":     {Differs, "Answered, and not used: images are pulled without credentials, and logs stay on the node."},
	"family":               {Works, ""},
	"inferenceAccelerators": {RefusedHere,
		"Unsupported field 'inferenceAccelerators': Amazon Elastic Inference is retired."},
	"ipcMode":                               {Works, "host, task and none."},
	"memory":                                {Works, "A hard limit of all containers together."},
	"networkMode":                           {Works, "awsvpc, bridge, host and none. In awsvpc a container's port is its host port too, and containers have no links, hostname, extraHosts or DNS settings of their own."},
	"pidMode":                               {Works, "host and task."},
	"placementConstraints":                  {Works, ""},
	"proxyConfiguration":                    {RefusedPlace, "ecs.capability.aws-appmesh"},
	"requiresCompatibilities":               {Works, "EC2, EXTERNAL and FARGATE are held to their rules; MANAGED_INSTANCES is refused when it is registered."},
	"runtimePlatform.cpuArchitecture":       {Works, "Tasks are placed on nodes of the architecture."},
	"runtimePlatform.operatingSystemFamily": {Works, "LINUX. Windows is refused when it is registered: nodes are Linux machines."},
	"tags":                                  {Works, ""},
	"taskRoleArn":                           {RefusedPlace, "com.amazonaws.ecs.capability.task-iam-role"},

	containers + "command":           {Works, ""},
	containers + "cpu":               {Works, "A share, as with Docker."},
	containers + "credentialSpecs":   {RefusedPlace, "ecs.capability.gmsa"},
	containers + "dependsOn":         {Works, "START, COMPLETE, SUCCESS and HEALTHY; in reverse when the task stops."},
	containers + "disableNetworking": {Works, "A namespace with nothing but loopback."},
	containers + "dnsSearchDomains":  {Works, ""},
	containers + "dnsServers":        {Works, ""},
	containers + "dockerLabels":      {Works, "Shown by the task metadata endpoint."},
	containers + "dockerSecurityOptions": {Works,
		"no-new-privileges, which every container has anyway. apparmor: and label: are refused when placed, by com.amazonaws.ecs.capability.apparmor and selinux; credentialspec: by ecs.capability.gmsa."},
	containers + "entryPoint":                         {Works, ""},
	containers + "environment":                        {Works, ""},
	containers + "environmentFiles":                   {RefusedPlace, "ecs.capability.env-files.s3"},
	containers + "essential":                          {Works, ""},
	containers + "extraHosts":                         {Works, ""},
	containers + "firelensConfiguration":              {RefusedPlace, "com.amazonaws.ecs.capability.logging-driver.awsfirelens or ecs.capability.firelens.fluentbit or ecs.capability.firelens.fluentd"},
	containers + "healthCheck":                        {Works, "The image's own HEALTHCHECK is ignored, as in ECS."},
	containers + "healthCheck.command":                {Works, "CMD and arguments, CMD-SHELL and one command line, or NONE. More words after CMD-SHELL's first are refused when the task is started."},
	containers + "hostname":                           {Works, ""},
	containers + "image":                              {Works, "From any OCI registry that gives it without credentials."},
	containers + "interactive":                        {Works, "Nobody writes to it; a read waits."},
	containers + "links":                              {Works, "Aliases in /etc/hosts and Docker's environment variables; what is linked to runs first."},
	containers + "linuxParameters.capabilities":       {Works, ""},
	containers + "linuxParameters.devices":            {Works, "A device that the node does not have stops the task when it is started."},
	containers + "linuxParameters.initProcessEnabled": {Works, "An init of two kilobytes at /sbin/docker-init."},
	containers + "linuxParameters.maxSwap":            {Differs, "Without it there is no swap, where ECS leaves that to the instance."},
	containers + "linuxParameters.sharedMemorySize":   {Works, ""},
	containers + "linuxParameters.swappiness":         {Works, "On cgroup v1; v2 has one for the whole machine. Ignored without maxSwap, as in ECS."},
	containers + "linuxParameters.tmpfs":              {Works, ""},
	containers + "logConfiguration.logDriver": {Works,
		"json-file, awslogs and none. Others are refused when placed, by com.amazonaws.ecs.capability.logging-driver.<name>."},
	containers + "logConfiguration.options": {Differs,
		"Answered, and not used: output is kept on the node, rotated by the node's own settings, and shown by `berth logs`; awslogs too."},
	containers + "logConfiguration.secretOptions": {RefusedPlace, "ecs.capability.secrets.asm.bootstrap.log-driver or ecs.capability.secrets.ssm.bootstrap.log-driver"},
	containers + "memory":                         {Works, "A hard limit. There is no swap."},
	containers + "memoryReservation":              {Works, "A soft limit, and what is taken from the instance."},
	containers + "mountPoints":                    {Works, ""},
	containers + "name":                           {Works, ""},
	containers + "portMappings":                   {Works, ""},
	containers + "portMappings.appProtocol":       {Differs, "Answered, and not used: it is Service Connect's."},
	containers + "portMappings.name":              {Differs, "Answered, and not used: it is Service Connect's."},
	containers + "privileged":                     {Works, ""},
	containers + "pseudoTerminal":                 {Works, ""},
	containers + "readonlyRootFilesystem":         {Works, ""},
	containers + "repositoryCredentials":          {RefusedPlace, "ecs.capability.private-registry-authentication.secretsmanager"},
	containers + "resourceRequirements":           {RefusedHere, "GPUs are not available in this region."},
	containers + "restartPolicy":                  {Works, "Without the server too. A container that is started again keeps its files, address and ports; DescribeTasks says in its `reason` how often that was."},
	containers + "secrets":                        {RefusedPlace, "ecs.capability.secrets.asm.environment-variables or ecs.capability.secrets.ssm.environment-variables"},
	containers + "startTimeout":                   {Works, ""},
	containers + "stopTimeout":                    {Works, ""},
	containers + "systemControls":                 {Works, ""},
	containers + "ulimits":                        {Works, ""},
	containers + "user":                           {Works, ""},
	containers + "versionConsistency":             {Differs, "Answered, and not used: each node resolves the tag when it starts a task, and records the digest."},
	containers + "volumesFrom":                    {Works, ""},
	containers + "workingDirectory":               {Works, ""},

	volumes + "configuredAtLaunch":        {RefusedPlace, "ecs.capability.storage.ebs-task-volume-attach"},
	volumes + "dockerVolumeConfiguration": {Works, ""},
	volumes + "dockerVolumeConfiguration.driver": {Works,
		"local. Others are refused when placed, by ecs.capability.docker-plugin.<name>."},
	volumes + "dockerVolumeConfiguration.driverOpts":    {Works, "type, device and o, as for Docker's driver local: what the node's kernel can mount. A shared one is mounted while a task uses it."},
	volumes + "dockerVolumeConfiguration.labels":        {Works, "Kept with the volume; a task that asks for a shared one with other labels is refused."},
	volumes + "efsVolumeConfiguration":                  {RefusedPlace, "ecs.capability.efs"},
	volumes + "fsxWindowsFileServerVolumeConfiguration": {RefusedPlace, "ecs.capability.fsxWindowsFileServer"},
	volumes + "host":                       {Works, "A directory of the node, made when it is missing; without sourcePath one that goes with the task."},
	volumes + "name":                       {Works, ""},
	volumes + "s3filesVolumeConfiguration": {RefusedPlace, "ecs.capability.storage.s3-files"},
}
