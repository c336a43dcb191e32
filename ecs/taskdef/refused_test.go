package taskdef

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// refusal is a definition that breaks one rule, and what is said of it.
type refusal struct{ name, text, want string }

// two is a definition of the container app with some members, and another.
func two(app, other string) string {
	return `{"family":"web","containerDefinitions":[{"name":"app","image":"web:1","memory":64` + app + `},{"name":"db","image":"db:1","memory":64` + other + `}]}`
}

// mode is with one network mode.
func mode(name, container string) string { return with(container, `"networkMode":"`+name+`"`) }

// fargate is a definition that FARGATE would take, with more members.
func fargate(container, task string) string {
	if task != "" {
		task = "," + task
	}
	return with(container, `"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"256","memory":"512"`+task)
}

func expectRefused(t *testing.T, rows []refusal) {
	t.Helper()
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			_, err := Build(request(t, c.text), facts)
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != shape.CodeClientException || !strings.Contains(e.Message, c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

func TestRefusedTasks(t *testing.T) {
	expectRefused(t, []refusal{
		{"no containers", `{"family":"web"}`, "Container list cannot be empty."},
		{"no family", `{"containerDefinitions":[]}`, "Family should not be null or empty."},
		{"family", `{"family":"a b"}`, "Family contains invalid characters"},
		{"eleven containers", `{"family":"w","containerDefinitions":[` + strings.Repeat(`{"name":"a"},`, 10) + `{"name":"a"}]}`, "Too many containers."},
		{"nothing essential", with(`"essential":false`, ""), "Task definition doesn't have any essential container."},
		{"two of a name", `{"family":"w","containerDefinitions":[{"name":"a","image":"i","memory":64},{"name":"a","image":"i","memory":64}]}`, "Container names must be unique within a task definition."},
		{"network mode", mode("magic", ""), "Invalid 'networkMode' setting for task: 'magic' must be one of [bridge,host,awsvpc,none]."},
		{"default is no network mode", mode("default", ""), "networkMode"},
		{"pid mode", with("", `"pidMode":"none"`), "Invalid 'pidMode' setting for task"},
		{"ipc mode", with("", `"ipcMode":"private"`), "Invalid 'ipcMode' setting for task"},
		{"task cpu", with("", `"cpu":"much"`), "Invalid 'cpu' setting for task."},
		{"no task cpu", with("", `"cpu":""`), "Invalid 'cpu' setting for task."},
		{"little task cpu", with("", `"cpu":"64"`), "Invalid 'cpu' setting for task."},
		{"too much task cpu", with("", `"cpu":"193 vCPU"`), "Invalid 'cpu' setting for task."},
		{"part of a unit", with("", `"cpu":"256.5"`), "Invalid 'cpu' setting for task."},
		{"hexadecimal", with("", `"cpu":"0x400"`), "Invalid 'cpu' setting for task."},
		{"task memory", with("", `"memory":"2TB"`), "Invalid 'memory' setting for task."},
		{"negative memory", with("", `"memory":"-1"`), "Invalid 'memory' setting for task."},
		{"container above the task", with("", `"memory":"32"`), "The 'memory' setting for container 'app' is greater than for the task."},
		{"reservations above the task", `{"family":"w","memory":"100","containerDefinitions":[{"name":"a","image":"i","memoryReservation":60},{"name":"b","image":"i","memoryReservation":60}]}`, "The sum of all container 'memoryReservation' values"},
		{"cpu above the task", with(`"cpu":300`, `"cpu":"256"`), "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."},
		{"constraint type", with("", `"placementConstraints":[{"type":"distinctInstance"}]`), "is not supported"},
		{"no expression", with("", `"placementConstraints":[{"type":"memberOf"}]`), "expression"},
		{"expression", with("", `"placementConstraints":[{"type":"memberOf","expression":"attribute:rack =="}]`), "Invalid expression"},
		{"eleven constraints", with("", `"placementConstraints":[`+strings.Repeat(`{"type":"memberOf"},`, 10)+`{"type":"memberOf"}]`), "at most 10"},
		{"small storage", with("", `"ephemeralStorage":{"sizeInGiB":20}`), "EphemeralStorage size should be at least 21"},
		{"large storage", with("", `"ephemeralStorage":{"sizeInGiB":201}`), "EphemeralStorage size should be at most 200"},
		{"architecture", with("", `"runtimePlatform":{"cpuArchitecture":"RISCV"}`), "'cpuArchitecture'"},
		{"operating system", with("", `"runtimePlatform":{"operatingSystemFamily":"PLAN9"}`), "'operatingSystemFamily'"},
		{"Windows", with("", `"runtimePlatform":{"operatingSystemFamily":"WINDOWS_SERVER_2022_CORE"}`), "Windows containers are not available in this region"},
		{"accelerators", with("", `"inferenceAccelerators":[{"deviceName":"d","deviceType":"eia2.medium"}]`), "Unsupported field 'inferenceAccelerators'"},
		{"too long", with(`"command":["`+strings.Repeat("x", 70000)+`"]`, ""), "Max allowed length is '65536' bytes."},
		{"proxy without awsvpc", with("", `"proxyConfiguration":{"containerName":"app"}`), "APPMESH proxy configuration is only supported in networkMode=awsvpc"},
		{"no proxy", mode("awsvpc", "")[:len(mode("awsvpc", ""))-1] + `,"proxyConfiguration":{"containerName":"envoy"}}`, "Proxy container [envoy] does not exist."},
		{"proxy user", with("", `"networkMode":"awsvpc","proxyConfiguration":{"containerName":"app"}`), "IgnoredUID or IgnoredGID"},
		{"proxy ports", with("", `"networkMode":"awsvpc","proxyConfiguration":{"containerName":"app","properties":[{"name":"IgnoredUID","value":"1337"}]}`), "Ingress port not found"},
		{"proxy type", with("", `"networkMode":"awsvpc","proxyConfiguration":{"containerName":"app","type":"ENVOY"}`), "APPMESH"},
		{"launch type", with("", `"requiresCompatibilities":["LAMBDA"]`), "'LAMBDA' must be one of [EC2,FARGATE,EXTERNAL]"},
		{"managed instances", with("", `"requiresCompatibilities":["MANAGED_INSTANCES"]`), "Managed instances are not available in this region."},
		{"external with interfaces", with("", `"networkMode":"awsvpc","requiresCompatibilities":["EXTERNAL"]`), "EXTERNAL launch type"},
		{"external with EFS", with("", `"requiresCompatibilities":["EXTERNAL"],"volumes":[{"name":"v","efsVolumeConfiguration":{"fileSystemId":"fs-1"}}]`), "EXTERNAL launch type"},
		{"EC2 with storage", with("", `"requiresCompatibilities":["EC2"],"ephemeralStorage":{"sizeInGiB":30}`), "Tasks using the EC2 launch type do not support EphemeralStorage."},
	})
}

func TestRefusedContainers(t *testing.T) {
	expectRefused(t, []refusal{
		{"no name", `{"family":"w","containerDefinitions":[{"image":"i","memory":64}]}`, "Container.name should not be null or empty."},
		{"name", `{"family":"w","containerDefinitions":[{"name":"a.b","image":"i","memory":64}]}`, "Container.name contains invalid characters."},
		{"no image", `{"family":"w","containerDefinitions":[{"name":"a","memory":64}]}`, "Container.image should not be null or empty."},
		{"image", `{"family":"w","containerDefinitions":[{"name":"a","image":"a b","memory":64}]}`, "Container.image contains invalid characters."},
		{"image of a node itself", `{"family":"w","containerDefinitions":[{"name":"a","image":"@berth/pause","memory":64}]}`, "Container.image contains invalid characters."},
		{"long image", `{"family":"w","containerDefinitions":[{"name":"a","image":"` + strings.Repeat("a", 256) + `","memory":64}]}`, "Container.image contains invalid characters."},
		{"version consistency", with(`"versionConsistency":"on"`, ""), "'versionConsistency'"},
		{"no memory", `{"family":"w","containerDefinitions":[{"name":"a","image":"i"}]}`, "At least one of 'memory' or 'memoryReservation' must be specified."},
		{"memory before FARGATE", `{"family":"w","requiresCompatibilities":["FARGATE"],"containerDefinitions":[{"name":"a","image":"i"}]}`, "At least one of 'memory' or 'memoryReservation' must be specified."},
		{"little memory", with(`"memoryReservation":5`, ""), "at least 6 MiB"},
		{"reservation above memory", with(`"memoryReservation":65`, ""), "'memory' must be greater than or equal to 'memoryReservation'."},
		{"negative cpu", with(`"cpu":-1`, ""), "Invalid 'cpu' setting for container 'app'"},
		{"unknown volume", with(`"mountPoints":[{"sourceVolume":"nope","containerPath":"/v"}]`, ""), "Unknown volume 'nope'."},
		{"mounted nowhere", with(`"mountPoints":[{"sourceVolume":"v"}]`, `"volumes":[{"name":"v"}]`), "'containerPath'"},
		{"volumesFrom", with(`"volumesFrom":[{"sourceContainer":"x"}]`, ""), "unknown container 'x'"},
		{"volumes from itself", with(`"volumesFrom":[{"sourceContainer":"app"}]`, ""), "unknown container 'app'"},
		{"ulimit", with(`"ulimits":[{"name":"nofile","softLimit":2,"hardLimit":1}]`, ""), "exceeds its hard limit"},
		{"ulimit name", with(`"ulimits":[{"name":"files","softLimit":1,"hardLimit":1}]`, ""), "'ulimits.name'"},
		{"variable", with(`"environment":[{"value":"v"}]`, ""), "'environment'"},
		{"depends on nobody", with(`"dependsOn":[{"containerName":"nope","condition":"START"}]`, ""), "'nope' because it does not exist"},
		{"depends on itself", with(`"dependsOn":[{"containerName":"app","condition":"START"}]`, ""), "Container dependencies should not have a cycle"},
		{"depends in a circle", two(`,"dependsOn":[{"containerName":"db","condition":"START"}]`, `,"dependsOn":[{"containerName":"app","condition":"START"}]`), "Container dependencies should not have a cycle"},
		{"condition", two(`,"dependsOn":[{"containerName":"db","condition":"READY"}]`, ""), "[START,COMPLETE,SUCCESS,HEALTHY]"},
		{"HEALTHY without a check", two(`,"dependsOn":[{"containerName":"db","condition":"HEALTHY"}]`, ""), "A dependency container with HEALTHY condition must have health check configured"},
		{"SUCCESS of an essential one", two(`,"dependsOn":[{"containerName":"db","condition":"SUCCESS"}]`, ""), "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"},
		{"interval", with(`"healthCheck":{"command":["CMD","x"],"interval":301}`, ""), "Health check interval must be less than or equal to the maximum allowed value 300 for container 'app'"},
		{"timeout", with(`"healthCheck":{"command":["CMD","x"],"timeout":61}`, ""), "Health check timeout must be less than or equal to the maximum allowed value 60 for container 'app'"},
		{"retries", with(`"healthCheck":{"command":["CMD","x"],"retries":0}`, ""), "Health check retries must be greater than or equal to the minimum allowed value 1 for container 'app'"},
		{"startPeriod", with(`"healthCheck":{"command":["CMD","x"],"startPeriod":301}`, ""), "Health check startPeriod must be less than or equal to the maximum allowed value 300"},
		{"no check", with(`"healthCheck":{"command":[]}`, ""), "Health check command should not be null or empty"},
		{"form of a check", with(`"healthCheck":{"command":["curl"]}`, ""), "Health check command must begin with CMD or CMD-SHELL"},
		{"start timeout", with(`"startTimeout":1`, ""), "The 'startTimeout' setting for container 'app' must be between"},
		{"stop timeout", with(`"stopTimeout":-1`, ""), "The 'stopTimeout' setting for container 'app' must be between"},
		{"restart policy", with(`"restartPolicy":{}`, ""), "'enabled' must be specified"},
		{"restart period", with(`"restartPolicy":{"enabled":true,"restartAttemptPeriod":59}`, ""), "The 'restartAttemptPeriod' setting for container 'app' must be between 60 and 1800."},
		{"exit codes", with(`"restartPolicy":{"enabled":true,"ignoredExitCodes":[`+strings.Repeat("1,", 50)+`1]}`, ""), "at most 50"},
		{"GPU", with(`"resourceRequirements":[{"type":"GPU","value":"1"}]`, ""), "GPUs are not available in this region."},
		{"no GPU", with(`"resourceRequirements":[{"type":"GPU","value":"many"}]`, ""), "not a number of GPUs"},
		{"resource", with(`"resourceRequirements":[{"type":"TPU","value":"1"}]`, ""), "must be GPU"},
		{"accelerator", with(`"resourceRequirements":[{"type":"InferenceAccelerator","value":"d"}]`, ""), "Unsupported field 'inferenceAccelerators'"},
	})
}

func TestRefusedNetworks(t *testing.T) {
	const port = `"portMappings":[{"containerPort":80,"hostPort":81}]`
	rows := []refusal{
		{"ports in mode none", mode("none", `"portMappings":[{"containerPort":80}]`), "Port mappings are not supported when networkMode=none."},
		{"ports in mode host", mode("host", port), "When networkMode=host, the host ports and container ports in port mappings must match."},
		{"ports in mode awsvpc", mode("awsvpc", port), "When networkMode=awsvpc, the host ports and container ports in port mappings must match."},
		{"no port", with(`"portMappings":[{}]`, ""), "'containerPort' or 'containerPortRange' must be specified"},
		{"port", with(`"portMappings":[{"containerPort":70000}]`, ""), "Invalid 'containerPort' setting for container 'app'."},
		{"host port", with(`"portMappings":[{"containerPort":1,"hostPort":-1}]`, ""), "Invalid 'hostPort' setting for container 'app'."},
		{"reversed range", with(`"portMappings":[{"containerPortRange":"9-1"}]`, ""), "Invalid 'containerPortRange' setting for container 'app'."},
		{"range of one", with(`"portMappings":[{"containerPortRange":"9-9"}]`, ""), "Invalid 'containerPortRange'"},
		{"range and port", with(`"portMappings":[{"containerPortRange":"1-9","hostPort":1}]`, ""), "Invalid port mapping for container 'app', cannot specify both single port and port range."},
		{"range in mode host", mode("host", `"portMappings":[{"containerPortRange":"1-9"}]`), "port ranges need networkMode bridge or awsvpc"},
		{"protocol", with(`"portMappings":[{"containerPort":80,"protocol":"sctp"}]`, ""), "Invalid 'protocol' setting for container 'app': 'sctp' must be one of [tcp,udp]."},
		{"app protocol", with(`"portMappings":[{"containerPort":80,"appProtocol":"ftp"}]`, ""), "[http,http2,grpc]"},
		{"app protocol of udp", with(`"portMappings":[{"containerPort":80,"appProtocol":"http","protocol":"udp"}]`, ""), "needs the protocol tcp"},
		{"port name", with(`"portMappings":[{"containerPort":80,"name":"-web"}]`, ""), "Invalid 'name' setting"},
		{"port name twice", mode("awsvpc", `"portMappings":[{"containerPort":80,"name":"web"},{"containerPort":81,"name":"web"}]`), "When networkMode=awsvpc, port mapping name is already used"},
		{"shared port twice", mode("awsvpc", `"portMappings":[{"containerPort":80},{"containerPort":80}]`), "TCP container port '80' is used multiple times in task when networkMode=awsvpc."},
		{"ranges overlap", mode("awsvpc", `"portMappings":[{"containerPortRange":"8080-8090"},{"containerPortRange":"8085-8095"}]`), "TCP container port '8085' is used multiple times in task when networkMode=awsvpc."},
		{"port in a range", with(`"portMappings":[{"containerPortRange":"8080-8090"},{"containerPort":8082}]`, ""), "TCP container port '8082' is used multiple times in task when networkMode=bridge."},
		{"host port twice", two(`,"portMappings":[{"containerPort":1,"hostPort":80}]`, `,"portMappings":[{"containerPort":2,"hostPort":80}]`), "TCP host port '80' is used multiple times"},
		{"too many ports", with(`"portMappings":[`+strings.Repeat(`{"containerPort":80},`, 100)+`{"containerPort":81}]`, ""), "at most 100"},
		{"links", with(`"links":["nope"]`, ""), "unknown container 'nope'"},
		{"form of a link", with(`"links":["a:b:c"]`, ""), "name or name:alias"},
		{"links in a circle", two(`,"links":["db"]`, `,"links":["app:front"]`), "Container links should not have a cycle"},
		{"links in mode host", mode("host", `"links":["app"]`), "Links are not supported when networkMode=host."},
		{"extra host", with(`"extraHosts":[{"hostname":"a","ipAddress":"b"}]`, ""), "not an IP address"},
		{"extra host of no name", with(`"extraHosts":[{"ipAddress":"10.0.0.1"}]`, ""), "'hostname'"},
		{"DNS server", with(`"dnsServers":["ns"]`, ""), "not an IP address"},
	}
	for what, c := range map[string]string{
		"Links are not supported when":                     `"links":["app"]`,
		"hostname is not supported on container when":      `"hostname":"h"`,
		"Extra hosts are not supported on container when":  `"extraHosts":[{"hostname":"a","ipAddress":"10.0.0.1"}]`,
		"DNS servers are not supported on container when":  `"dnsServers":["10.0.0.1"]`,
		"DNS search domains are not supported on":          `"dnsSearchDomains":["a.b"]`,
		"Disable Networking is not supported on container": `"disableNetworking":true`,
	} {
		rows = append(rows, refusal{what, mode("awsvpc", c), what})
	}
	expectRefused(t, rows)
}

func TestRefusedVolumes(t *testing.T) {
	volume := func(v string) string { return with("", `"volumes":[`+v+`]`) }
	efs := func(v string) string { return volume(`{"name":"v","efsVolumeConfiguration":{` + v + `}}`) }
	expectRefused(t, []refusal{
		{"no name", volume(`{}`), "Volume name should not be null or empty."},
		{"name", volume(`{"name":"a/b"}`), "contains invalid characters"},
		{"two of a name", volume(`{"name":"v"},{"name":"v"}`), "Duplicate volume name 'v'"},
		{"two kinds", volume(`{"name":"v","host":{},"dockerVolumeConfiguration":{}}`), "only one of host and dockerVolumeConfiguration"},
		{"relative path", volume(`{"name":"v","host":{"sourcePath":"data"}}`), "must be absolute"},
		{"autoprovision", volume(`{"name":"v","dockerVolumeConfiguration":{"autoprovision":false}}`), "When 'scope' parameter is 'task', 'autoprovision' must either not be specified or set to 'True'."},
		{"scope", volume(`{"name":"v","dockerVolumeConfiguration":{"scope":"world"}}`), "[task,shared]"},
		{"no file system", efs(``), "'fileSystemId'"},
		{"EFS role in the clear", efs(`"fileSystemId":"fs-1","authorizationConfig":{"iam":"ENABLED"}`), "EFS IAM authorization requires TransitEncryption to be enabled."},
		{"EFS port in the clear", efs(`"fileSystemId":"fs-1","transitEncryptionPort":2999`), "TransitEncryptionPort requires that TransitEncryption is enabled."},
		{"EFS access point below a directory", efs(`"fileSystemId":"fs-1","rootDirectory":"/a","authorizationConfig":{"accessPointId":"fsap-1"}`), `When using an EFS access point, the root directory must either be set to "/" or be omitted.`},
		{"EFS port", efs(`"fileSystemId":"fs-1","transitEncryption":"ENABLED","transitEncryptionPort":70000`), "between 1 and 65535"},
		{"EFS encryption", efs(`"fileSystemId":"fs-1","transitEncryption":"TLS"`), "[ENABLED,DISABLED]"},
		{"S3 Files", volume(`{"name":"v","s3filesVolumeConfiguration":{}}`), "'fileSystemArn'"},
		{"S3 Files access point", volume(`{"name":"v","s3filesVolumeConfiguration":{"fileSystemArn":"arn:a","accessPointArn":"arn:b","rootDirectory":"/x"}}`), "S3 Files access point"},
		{"FSx", volume(`{"name":"v","fsxWindowsFileServerVolumeConfiguration":{"fileSystemId":"fs-1"}}`), "'authorizationConfig'"},
		{"two at launch", volume(`{"name":"v","configuredAtLaunch":true},{"name":"w","configuredAtLaunch":true}`), "only one volume that is configured at launch"},
	})
}

func TestRefusedLogsAndSecrets(t *testing.T) {
	const role, secret = `"executionRoleArn":"arn:aws:iam::000000000000:role/r"`, `"secrets":[{"name":"A","valueFrom":"a"}]`
	logs := func(l string) string { return with(`"logConfiguration":{`+l+`}`, "") }
	expectRefused(t, []refusal{
		{"driver", logs(`"logDriver":"paper"`), "paper is not a valid log driver. Must be one of [json-file,"},
		{"awslogs", logs(`"logDriver":"awslogs"`), "Log driver awslogs requires options: awslogs-region, awslogs-group"},
		{"awslogs group", logs(`"logDriver":"awslogs","options":{"awslogs-region":"us-east-1"}`), "Log driver awslogs requires options: awslogs-group"},
		{"awslogs patterns", logs(`"logDriver":"awslogs","options":{"awslogs-region":"r","awslogs-group":"g","awslogs-datetime-format":"%Y","awslogs-multiline-pattern":"x"}`), "both the awslogs-datetime-format and awslogs-multiline-pattern"},
		{"log mode", logs(`"logDriver":"json-file","options":{"mode":"lossy"}`), "[blocking,non-blocking]"},
		{"firelens without a router", logs(`"logDriver":"awsfirelens"`), "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers."},
		{"two routers", two(`,"firelensConfiguration":{"type":"fluentbit"}`, `,"firelensConfiguration":{"type":"fluentd"}`), "Only one container"},
		{"router into itself", with(`"firelensConfiguration":{"type":"fluentbit"},"logConfiguration":{"logDriver":"awsfirelens"}`, ""), "cannot use the awsfirelens log driver"},
		{"router of nothing", with(`"firelensConfiguration":{"type":"fluentbit"}`, ""), "When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver."},
		{"router type", with(`"firelensConfiguration":{"type":"logstash"}`, ""), "[fluentd,fluentbit]"},
		{"router file", with(`"firelensConfiguration":{"type":"fluentbit","options":{"config-file-type":"s3","config-file-value":"s3://b/k"}}`, ""), "Invalid arn syntax."},
		{"router file type", with(`"firelensConfiguration":{"type":"fluentbit","options":{"config-file-type":"ftp"}}`, ""), "[file,s3]"},
		{"secret without a role", with(secret, ""), "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."},
		{"secret of a variable", with(secret+`,"environment":[{"name":"A","value":"1"}]`, role), "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'A'."},
		{"secret twice", with(`"secrets":[{"name":"A","valueFrom":"a"},{"name":"A","valueFrom":"b"}]`, role), "Duplicate secret names found: A. Each secret name must be unique."},
		{"secret from nowhere", with(`"secrets":[{"name":"A"}]`, role), "'valueFrom'"},
		{"secret of no name", with(`"secrets":[{"valueFrom":"a"}]`, role), "'name'"},
		{"credentials without a role", with(`"repositoryCredentials":{"credentialsParameter":"arn:a"}`, ""), "'executionRoleArn'"},
		{"no credentials", with(`"repositoryCredentials":{}`, role), "'credentialsParameter'"},
		{"environment file", with(`"environmentFiles":[{"type":"s3","value":"s3://b/k.env"}]`, ""), "Invalid arn syntax."},
		{"environment file's name", with(`"environmentFiles":[{"type":"s3","value":"arn:aws:s3:::b/k.txt"}]`, ""), "extension .env"},
		{"environment file's type", with(`"environmentFiles":[{"type":"http","value":"arn:aws:s3:::b/k.env"}]`, ""), "[s3]"},
		{"eleven environment files", with(`"environmentFiles":[`+strings.Repeat(`{},`, 10)+`{}]`, ""), "The maximum number of environment files was exceeded. Specify ten or less and try again."},
	})
}

func TestRefusedLinux(t *testing.T) {
	linux := func(l string) string { return with(`"linuxParameters":{`+l+`}`, "") }
	sysctl := func(name, value, task string) string {
		return with(fmt.Sprintf(`"systemControls":[{"namespace":%q,"value":%q}]`, name, value), task)
	}
	expectRefused(t, []refusal{
		{"swappiness", linux(`"swappiness":101`), "between 0 and 100"},
		{"swap", linux(`"maxSwap":-1`), "'maxSwap'"},
		{"shared memory", linux(`"sharedMemorySize":0`), "'sharedMemorySize'"},
		{"capability", linux(`"capabilities":{"drop":["FLY"]}`), "'FLY' is not a Linux capability"},
		{"device", linux(`"devices":[{}]`), "'hostPath'"},
		{"permission", linux(`"devices":[{"hostPath":"/dev/null","permissions":["execute"]}]`), "[read,write,mknod]"},
		{"tmpfs path", linux(`"tmpfs":[{"containerPath":"tmp","size":1}]`), "must be absolute"},
		{"tmpfs size", linux(`"tmpfs":[{"containerPath":"/tmp","size":0}]`), "at least 1 MiB"},
		{"tmpfs option", linux(`"tmpfs":[{"containerPath":"/tmp","size":1,"mountOptions":["fast"]}]`), "'fast' is not a valid mount option"},
		{"sysctl", sysctl("vm.swappiness", "1", ""), "not a namespaced kernel parameter"},
		{"sysctl of nothing", sysctl("net.core.somaxconn", "", ""), "'value'"},
		{"sysctl of the host's network", sysctl("net.core.somaxconn", "1", `"networkMode":"host"`), "networkMode=host"},
		{"sysctl of the host's IPC", sysctl("kernel.shmmax", "1", `"ipcMode":"host"`), "ipcMode=host"},
		{"security option", with(`"dockerSecurityOptions":["seccomp:unconfined"]`, ""), "no-new-privileges"},
		{"two credential specs", with(`"credentialSpecs":["credentialspec:a","credentialspec:b"]`, ""), "at most one"},
		{"credential spec", with(`"credentialSpecs":["arn:a"]`, ""), "credentialspecdomainless:"},
	})
}
