package clients

import (
	"runtime"
	"strings"
	"testing"
)

// A cluster with FARGATE and its Spot, tasks by its default strategy and by one of their own, a service, and what is refused, as the CLI says it.
func TestFargateByTheCLI(t *testing.T) {
	t.Parallel()
	other := map[string]string{"amd64": "ARM64", "arm64": "X86_64"}[runtime.GOARCH]
	out := shell(t, `
subnet=$(aws ec2 describe-subnets --filters Name=default-for-az,Values=true Name=availability-zone,Values="$AWS_REGION"a --query 'Subnets[0].SubnetId' --output text)
network="awsvpcConfiguration={subnets=[$subnet],assignPublicIp=ENABLED}"
aws ecs create-cluster --cluster-name cli-fargate --capacity-providers FARGATE FARGATE_SPOT \
  --default-capacity-provider-strategy capacityProvider=FARGATE_SPOT,weight=1 --query 'cluster.capacityProviders' --output text
define() { aws ecs register-task-definition --family "$1" --requires-compatibilities FARGATE --network-mode awsvpc --cpu 256 --memory 512 "${@:2}" \
  --container-definitions '[{"name":"main","image":"`+busyboxImage+`","entryPoint":["sh","-c"],"command":["trap \"exit 0\" TERM; while :; do sleep 1000 & wait; done"]}]' \
  --query 'taskDefinition.requiresCompatibilities' --output text; }
define cli-fargate
define cli-other --runtime-platform cpuArchitecture=`+other+`,operatingSystemFamily=LINUX
run() { aws ecs run-task --cluster cli-fargate --network-configuration "$network" "$@"; }
run --task-definition cli-fargate --query 'tasks[0].[launchType,capacityProviderName,platformVersion,containerInstanceArn]' --output text
arn=$(run --task-definition cli-fargate --capacity-provider-strategy capacityProvider=FARGATE,weight=1,base=1 --platform-version LATEST --query 'tasks[0].taskArn' --output text)
aws ecs wait tasks-running --cluster cli-fargate --tasks "$arn"
aws ecs describe-tasks --cluster cli-fargate --tasks "$arn" --query 'tasks[0].[capacityProviderName,platformVersion,platformFamily,attachments[0].type]' --output text
run --task-definition cli-fargate --launch-type FARGATE --platform-version 1.4.0 --query 'tasks[0].platformVersion' --output text
run --task-definition cli-other --launch-type FARGATE --query 'failures[0].reason' --output text
said() { { "$@" 2>&1 || true; } | grep -o '(.*Exception)'; }
said run --task-definition cli-fargate --launch-type FARGATE --platform-version 1.3.0
aws ecs create-service --cluster cli-fargate --service-name web --task-definition cli-fargate --desired-count 1 --network-configuration "$network" \
  --capacity-provider-strategy capacityProvider=FARGATE,base=1,weight=1 capacityProvider=FARGATE_SPOT,weight=1 \
  --query 'service.[platformVersion,launchType,length(capacityProviderStrategy)]' --output text
aws ecs wait services-stable --cluster cli-fargate --services web
said aws ecs put-cluster-capacity-providers --cluster cli-fargate --capacity-providers FARGATE --default-capacity-provider-strategy '[]'
aws ecs delete-service --cluster cli-fargate --service web --force --query service.status --output text
for t in $(aws ecs list-tasks --cluster cli-fargate --query 'taskArns' --output text); do aws ecs stop-task --cluster cli-fargate --task "$t" --query task.desiredStatus --output text >> stopped; done
`)
	want := strings.Join([]string{
		"FARGATE\tFARGATE_SPOT", "FARGATE", "FARGATE", "FARGATE\tFARGATE_SPOT\t1.4.0\tNone", "FARGATE\t1.4.0\tLinux\tElasticNetworkInterface", "1.4.0",
		"Capacity is unavailable at this time. Please try again later or in a different availability zone", "(PlatformUnknownException)",
		"LATEST\tNone\t2", "(ResourceInUseException)", "DRAINING",
	}, "\n")
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}
