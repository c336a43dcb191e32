package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Each aws process costs a second of CPU: a script does many things with few of them.

// shell runs a script as a user's: `berth env` is all it is given. The script fails at its first failing command.
func shell(t *testing.T, script string) string {
	t.Helper()
	for _, tool := range []string{"aws", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: %v", tool, err)
		}
	}
	exports, err := region.Command(t.Context(), "env").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "script")
	text := "set -euo pipefail\n" + string(exports) + "export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null\nexport AWS_DEFAULT_OUTPUT=json\n" + script
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", file)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// What the GitHub action amazon-ecs-deploy-task-definition and many pipelines do: take the described definition, change its image's
// command, register it, update the service, wait. Then everything is deleted, with the CLI's own waiters.
func TestPipelineDeploysAndDeletes(t *testing.T) {
	t.Parallel()
	out := shell(t, `
cat > first.json <<'JSON'
{"family": "pipeline", "containerDefinitions": [{"name": "main", "image": "`+busyboxImage+`", "memory": 32, "essential": true,
  "entryPoint": ["sh", "-c"], "command": ["trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"],
  "environment": [{"name": "V", "value": "eins zwei – drei ✓"}]}]}
JSON
aws ecs create-cluster --cluster-name pipeline --query cluster.status --output text
aws ecs register-task-definition --cli-input-json file://first.json --query taskDefinition.revision
aws ecs create-service --service-name web --task-definition pipeline --desired-count 2 --query service.status --output text
aws ecs wait services-stable --services web
aws ecs describe-task-definition --task-definition pipeline --query taskDefinition > described.json
jq '.containerDefinitions[0].environment[0].value += " vier"
  | del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy)' described.json > second.json
arn=$(aws ecs register-task-definition --cli-input-json file://second.json --query taskDefinition.taskDefinitionArn --output text)
aws ecs update-service --service web --task-definition "$arn" --query 'service.deployments[0].status' --output text
aws ecs wait services-stable --services web
aws ecs describe-services --services web > service.json
jq -r '.services[0] | "\(.deployments | length) \(.runningCount) \(.desiredCount) \(.taskDefinition | split("/")[1])"' service.json
jq -r '.services[0].deployments[0].createdAt' service.json | grep -Eq '\.[0-9]+' && echo fraction
aws ecs delete-service --service web --force --query service.status --output text
aws ecs wait services-inactive --services web
aws ecs delete-cluster --cluster pipeline --query cluster.status --output text
jq -r '.containerDefinitions[0].environment[0].value' second.json
`)
	want := "ACTIVE\n1\nACTIVE\nPRIMARY\n1 2 2 pipeline:2\nfraction\nDRAINING\nINACTIVE\neins zwei – drei ✓ vier"
	if out != want {
		t.Errorf("output:\n%s\nwant:\n%s", out, want)
	}
}

func TestCLIRunsATaskToItsEnd(t *testing.T) {
	t.Parallel()
	out := shell(t, `
aws ecs register-task-definition --family once --container-definitions '[{"name": "main", "image": "`+busyboxImage+`", "memory": 32,
  "entryPoint": ["sh", "-c"], "command": ["trap \"exit 4\" TERM; while :; do sleep 1000 & wait; done"]}]' --query taskDefinition.status --output text
arn=$(aws ecs run-task --task-definition once --count 1 --started-by cli --tags key=k,value=v --query 'tasks[0].taskArn' --output text)
aws ecs wait tasks-running --tasks "$arn"
aws ecs list-tasks --started-by cli --query 'length(taskArns)'
aws ecs list-tags-for-resource --resource-arn "$arn" --query 'tags[0].value' --output text
aws ecs stop-task --task "$arn" --reason 'seen enough' --query task.desiredStatus --output text
aws ecs wait tasks-stopped --tasks "$arn"
aws ecs describe-tasks --tasks "$arn" --query 'tasks[0].[stopCode,stoppedReason,lastStatus,length(containers)]' --output text
`)
	if want := "ACTIVE\n1\nv\nSTOPPED\nUserInitiated\tseen enough\tSTOPPED\t1"; out != want {
		t.Errorf("output:\n%s\nwant:\n%s", out, want)
	}
}

func TestCLIPagesAndErrors(t *testing.T) {
	t.Parallel()
	out := shell(t, `
aws sts get-caller-identity --query '[Account,Arn]' --output text
aws ec2 describe-availability-zones --filters Name=zone-name,Values='*a' --query 'AvailabilityZones[].[ZoneName,ZoneId,State]' --output text
aws ec2 describe-volumes 2>&1 | tail -1 || true
for i in 1 2 3; do
  echo "$(aws ecs register-task-definition --family "page-$i" --container-definitions '[{"name": "main", "image": "x", "memory": 32}]' --query taskDefinition.family --output text)" &
done | sort # echo writes a line at once; aws writes its end apart, and another's may come between
aws ecs list-task-definition-families --family-prefix page- --page-size 2 --query 'families' --output text
aws ecs describe-services --services nobody --query 'failures[0].reason' --output text
aws ecs describe-services --cluster nowhere --services nobody 2>&1 | tail -1 || true
aws ecs wait services-stable --services nobody 2>&1 | tail -1 || true
`)
	lines := strings.Split(out, "\n")
	for i, want := range []string{
		"000000000000\tarn:aws:iam::000000000000:root", "us-east-1a\tuse1-az1\tavailable",
		"An error occurred (InvalidAction) when calling the DescribeVolumes operation: The operation ec2:DescribeVolumes is not implemented.", "page-1", "page-2", "page-3", "page-1\tpage-2", "page-3", "MISSING",
		"An error occurred (ClusterNotFoundException) when calling the DescribeServices operation: Cluster not found.",
	} {
		if i >= len(lines) || !strings.HasSuffix(lines[i], want) {
			t.Errorf("line %d is not %q:\n%s", i+1, want, out)
		}
	}
	if !strings.Contains(out, "Waiter ServicesStable failed") || !strings.Contains(out, "MISSING") {
		t.Errorf("the waiter does not fail at once:\n%s", out)
	}
}
