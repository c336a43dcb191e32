package taskdef

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names are the required attributes of a definition without their prefixes.
func names(t *testing.T, text string) []string {
	t.Helper()
	d, err := Build(request(t, text), facts)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, a := range d.RequiresAttributes {
		out = append(out, strings.TrimPrefix(strings.TrimPrefix(*a.Name, comAmazon), capability))
	}
	return out
}

const (
	role  = `"executionRoleArn":"arn:aws:iam::000000000000:role/e"`
	image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/web:1"
)

// Sets of attributes as AWS answered them for task definitions with these members.
func TestRequiresWhatAWSRequires(t *testing.T) {
	awslogs := func(more string) string {
		return `"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g","awslogs-region":"r","awslogs-stream-prefix":"p"` + more + `}}`
	}
	ecr := func(text string) string { return strings.Replace(text, "web:1", image, 1) }
	for _, c := range []struct {
		name, text string
		want       string
	}{
		{"nothing", with("", ""), ""},
		{"sizes of the task", with("", `"cpu":"256","memory":"512"`), ""},
		{"ECR on FARGATE", ecr(fargate("", role)),
			"docker-remote-api.1.18 ecr-auth execution-role-ecr-pull task-eni"},
		{"roles and a reservation", fargate(`"memoryReservation":64,`+awslogs(""), role+`,"taskRoleArn":"arn:aws:iam::000000000000:role/t"`),
			"docker-remote-api.1.18 docker-remote-api.1.19 docker-remote-api.1.21 logging-driver.awslogs task-iam-role execution-role-awslogs task-eni"},
		{"a group made for logs", ecr(fargate(awslogs(`,"awslogs-create-group":"true"`), role)),
			"docker-remote-api.1.18 docker-remote-api.1.19 docker-remote-api.1.29 ecr-auth logging-driver.awslogs execution-role-awslogs execution-role-ecr-pull task-eni"},
		{"logs that do not block", with(awslogs(`,"mode":"non-blocking","max-buffer-size":"25m"`), ""),
			"docker-remote-api.1.19 docker-remote-api.1.28 logging-driver.awslogs"},
		{"storage and environment files", fargate(`"environmentFiles":[{"type":"s3","value":"arn:aws:s3:::b/k.env"}]`, `"ephemeralStorage":{"sizeInGiB":21}`),
			"docker-remote-api.1.18 env-files.s3 extensible-ephemeral-storage task-eni"},
		{"health check", with(`"healthCheck":{"command":["CMD","true"]}`, ""), "docker-remote-api.1.24 container-health-check"},
		{"health check with a start period", with(`"healthCheck":{"command":["CMD","true"],"startPeriod":10}`, ""), "docker-remote-api.1.29 container-health-check"},
		{"EFS", with("", `"volumes":[{"name":"v","efsVolumeConfiguration":{"fileSystemId":"fs-1"}}]`), "docker-remote-api.1.25 efs efsAuth"},
		{"Docker volume", with("", `"volumes":[{"name":"v","dockerVolumeConfiguration":{"scope":"shared","autoprovision":true,"driver":"local"}}]`),
			"docker-remote-api.1.25 docker-plugin.local"},
		{"Docker plugin", with("", `"volumes":[{"name":"v","dockerVolumeConfiguration":{"driver":"rexray/ebs:1"}}]`), "docker-remote-api.1.25 docker-plugin.rexray/ebs.1"},
		{"a log router", two(`,"logConfiguration":{"logDriver":"awsfirelens"}`, `,"user":"0","firelensConfiguration":{"type":"fluentbit","options":{"config-file-type":"file","config-file-value":"/f"}}`),
			"docker-remote-api.1.17 logging-driver.awsfirelens firelens.fluentbit firelens.options.config.file"},
		{"a job of its own", with(`"user":"nobody","dockerSecurityOptions":["no-new-privileges"],"ulimits":[{"name":"nproc","softLimit":128,"hardLimit":128}],"linuxParameters":{"initProcessEnabled":true,"maxSwap":0,"swappiness":0},`+awslogs(""),
			`"networkMode":"none","ipcMode":"none","cpu":"2048","memory":"4096"`),
			"docker-remote-api.1.17 docker-remote-api.1.18 docker-remote-api.1.19 docker-remote-api.1.23 docker-remote-api.1.25 docker-remote-api.1.32 logging-driver.awslogs pid-ipc-namespace-sharing"},
		{"secrets and order", with(`"startTimeout":5,"secrets":[{"name":"A","valueFrom":"/a"},{"name":"B","valueFrom":"arn:aws:secretsmanager:us-east-1:000000000000:secret:b"}]`, role),
			"container-ordering secrets.asm.environment-variables secrets.ssm.environment-variables"},
		{"role in mode host", with("", `"networkMode":"host","taskRoleArn":"r"`), "task-iam-role-network-host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(strings.Fields(c.want), names(t, c.text)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestCompatibilities(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"anything", with("", ""), []string{"EXTERNAL", "EC2"}},
		{"fit for FARGATE without asking", with("", `"networkMode":"awsvpc","cpu":"256","memory":"512"`), []string{"EC2", "FARGATE"}},
		{"asked for both", with("", `"networkMode":"awsvpc","cpu":"1 vCPU","memory":"2 GB","requiresCompatibilities":["EC2","FARGATE"]`), []string{"EC2", "FARGATE"}},
		{"no size of FARGATE's", with("", `"networkMode":"awsvpc","cpu":"512","memory":"717","requiresCompatibilities":["EC2"]`), []string{"EC2"}},
		{"privileged", with(`"privileged":true`, `"networkMode":"awsvpc","cpu":"256","memory":"512"`), []string{"EC2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Build(request(t, c.text), facts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, d.Compatibilities); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
