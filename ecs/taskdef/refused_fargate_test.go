package taskdef

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// What FARGATE refuses, with the whole sentence. AWS's: seen by those who met it (issue threads; the deployments that
// github.com/badmintoncryer/cdk-preflight records; moto's for pidMode). The members are those of the developer guide, "Task definition
// differences for Fargate", and of the API reference.
func TestRefusedByFargate(t *testing.T) {
	const vpc, task = `"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc"`, `"requiresCompatibilities":["FARGATE"],"cpu":"256","memory":"512"`
	const noSize = "No Fargate configuration exists for given values: %s. See the Amazon ECS documentation for the valid values."
	const noMode, noDriver = "Fargate only supports network mode 'awsvpc'.", " is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]"
	const noNetwork = " not supported on container when networkMode=awsvpc."
	linux := func(members string) string { return fargate(`"linuxParameters":{`+members+`}`, "") }
	logs := func(driver, options string) string {
		return fargate(`"logConfiguration":{"logDriver":"`+driver+`","options":{"awslogs-region":"r","awslogs-group":"g"`+options+`}}`, "")
	}
	rows := []refusal{
		{"no mode", with("", task), noMode},
		{"bridge", with("", task+`,"networkMode":"bridge"`), noMode},
		{"host", with("", task+`,"networkMode":"host"`), noMode},
		{"none", with("", task+`,"networkMode":"none"`), noMode},
		{"no cpu", with("", vpc+`,"memory":"512"`), "Fargate requires that 'cpu' be defined at the task level."},
		{"no memory", with("", vpc+`,"cpu":"256"`), "Fargate requires that 'memory' be defined at the task level."},
		{"no such size", with("", vpc+`,"cpu":"256","memory":"4096"`), fmt.Sprintf(noSize, "256 CPU, 4096 memory")},
		{"small Windows", fargate("", `"runtimePlatform":{"operatingSystemFamily":"WINDOWS_SERVER_2022_CORE"}`), fmt.Sprintf(noSize, "256 CPU, 512 memory")},
		{"privileged", fargate(`"privileged":true`, ""), "Fargate requires that the 'privileged' setting be 'false'."},
		{"pid mode", fargate("", `"pidMode":"host"`), "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'."},
		{"capability", linux(`"capabilities":{"add":["NET_ADMIN"]}`), "NET_ADMIN is not allowed on Fargate."},
		{"all capabilities", linux(`"capabilities":{"add":["ALL"]}`), "ALL is not allowed on Fargate."},
		{"GPU", fargate(`"resourceRequirements":[{"type":"GPU","value":"1"}]`, ""), "Tasks using the Fargate launch type do not support GPU resource requirements."},
		{"log driver", fargate(`"logConfiguration":{"logDriver":"json-file"}`, ""), "json-file" + noDriver},
		{"syslog", fargate(`"logConfiguration":{"logDriver":"syslog"}`, ""), "syslog" + noDriver},
		{"prefix", logs("awslogs", ""), "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs."},
		{"role for logs", logs("awslogs", `,"awslogs-stream-prefix":"p"`), "Fargate requires task definition to have execution role ARN to support log driver awslogs."},
		{"role for images", strings.Replace(fargate("", ""), "web:1", "000000000000.dkr.ecr.us-east-1.amazonaws.com/web", 1),
			"Fargate requires task definition to have execution role ARN to support ECR images."},
		{"router's file", strings.TrimSuffix(two(`,"firelensConfiguration":{"type":"fluentbit","options":{"config-file-type":"s3","config-file-value":"arn:aws:s3:::b/k"}}`,
			`,"logConfiguration":{"logDriver":"awsfirelens"}`), "}") + "," + vpc + `,"cpu":"256","memory":"512"}`,
			"Fargate launch type does not support FirelensConfiguration config file from 's3'"},
		{"links", fargate(`"links":["db"]`, ""), "Links are not supported when networkMode=awsvpc."},
		{"host name", fargate(`"hostname":"h"`, ""), "hostname is" + noNetwork},
		{"hosts", fargate(`"extraHosts":[{"hostname":"h","ipAddress":"10.0.0.1"}]`, ""), "Extra hosts are" + noNetwork},
		{"DNS servers", fargate(`"dnsServers":["10.0.0.2"]`, ""), "DNS servers are" + noNetwork},
		{"DNS domains", fargate(`"dnsSearchDomains":["x"]`, ""), "DNS search domains are" + noNetwork},
		{"no network", fargate(`"disableNetworking":true`, ""), "Disable Networking is" + noNetwork},
		{"EXTERNAL too", with("", strings.Replace(vpc, `["FARGATE"]`, `["FARGATE","EXTERNAL"]`, 1)+`,"cpu":"256","memory":"512"`), "The EXTERNAL launch type does not support networkMode=awsvpc."},
	}
	for field, text := range map[string]string{
		"ipcMode":                   fargate("", `"ipcMode":"task"`),
		"constraints":               fargate("", `"placementConstraints":[{"type":"memberOf","expression":"attribute:a exists"}]`),
		"dockerVolumeConfiguration": fargate("", `"volumes":[{"name":"v","dockerVolumeConfiguration":{}}]`),
		"sourcePath":                fargate("", `"volumes":[{"name":"v","host":{"sourcePath":"/v"}}]`),
		"dockerSecurityOptions":     fargate(`"dockerSecurityOptions":["no-new-privileges"]`, ""),
		"devices":                   linux(`"devices":[{"hostPath":"/dev/fuse"}]`),
		"sharedMemorySize":          linux(`"sharedMemorySize":64`),
		"maxSwap":                   linux(`"maxSwap":64`),
		"swappiness":                linux(`"swappiness":60`),
	} {
		rows = append(rows, refusal{field, text, "Fargate compatible task definitions do not support " + field})
	}
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			_, err := Build(request(t, c.text), facts)
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != shape.CodeClientException || e.Message != c.want {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
	expectRefused(t, []refusal{{"stop timeout", fargate(`"stopTimeout":121`, ""), "between 0 and 120"}})
}

// What FARGATE has is not refused: SYS_PTRACE, tmpfs (since January 2026), ulimits, an init, a shared process namespace, sysctls, ARM64.
func TestTakenByFargate(t *testing.T) {
	for name, text := range map[string]string{
		"ptrace":  fargate(`"linuxParameters":{"capabilities":{"add":["SYS_PTRACE"],"drop":["NET_RAW"]},"initProcessEnabled":true}`, ""),
		"tmpfs":   fargate(`"linuxParameters":{"tmpfs":[{"containerPath":"/t","size":16}]}`, ""),
		"pid":     fargate("", `"pidMode":"task"`),
		"ulimits": fargate(`"ulimits":[{"name":"nofile","softLimit":1024,"hardLimit":4096}]`, ""),
		"sysctls": fargate(`"systemControls":[{"namespace":"net.core.somaxconn","value":"1024"}]`, ""),
		"volume":  fargate("", `"volumes":[{"name":"v","host":{}}]`),
		"arm":     fargate("", `"runtimePlatform":{"cpuArchitecture":"ARM64","operatingSystemFamily":"LINUX"}`),
	} {
		if _, err := Build(request(t, text), facts); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
