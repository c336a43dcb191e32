package clients

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/berth-ecs/berth/test/installation"
)

// Account settings, attributes, task protection and capacity providers, as the CLI says them.
func TestTheRestOfTheFloor(t *testing.T) {
	t.Parallel()
	out := shell(t, `
aws ecs put-account-setting-default --name containerInsights --value enhanced --query setting.principalArn --output text
aws ecs create-cluster --cluster-name floor --capacity-providers FARGATE FARGATE_SPOT --query 'cluster.settings[0].value' --output text
aws ecs list-account-settings --effective-settings --query "settings[?value=='enhanced'].name" --output text
aws ecs delete-account-setting --name containerInsights --query setting.value --output text
aws ecs put-cluster-capacity-providers --cluster floor --capacity-providers FARGATE --default-capacity-provider-strategy capacityProvider=FARGATE,weight=1 \
  --query 'cluster.defaultCapacityProviderStrategy[0].base'
instance=$(aws ecs list-container-instances --filter 'agentConnected == true' --query 'containerInstanceArns[0]' --output text)
aws ecs put-attributes --attributes name=stack,value=blue,targetId=$instance --query 'attributes[0].value' --output text
aws ecs register-task-definition --family floor --container-definitions '[{"name":"main","image":"`+busyboxImage+`","memory":32,"entryPoint":["sh","-c"],
  "command":["trap \"exit 0\" TERM; while :; do sleep 1000 & wait; done"]}]' --query taskDefinition.revision
aws ecs create-service --service-name floor --task-definition floor --desired-count 1 --query service.status --output text \
  --placement-constraints 'type=memberOf,expression=attribute:stack == blue and not(task:group == database)'
aws ecs wait services-stable --services floor
task=$(aws ecs list-tasks --service-name floor --query 'taskArns[0]' --output text)
aws ecs update-task-protection --cluster default --tasks $task --protection-enabled --expires-in-minutes 60 --query 'protectedTasks[0].protectionEnabled'
aws ecs update-service --service floor --desired-count 0 --query service.desiredCount
aws ecs get-task-protection --cluster default --tasks $task --query 'protectedTasks[0].protectionEnabled'
aws ecs describe-tasks --tasks $task --query 'tasks[0].desiredStatus' --output text
aws ecs update-task-protection --cluster default --tasks $task --no-protection-enabled --query 'protectedTasks[0].protectionEnabled'
aws ecs wait tasks-stopped --tasks $task
aws ecs delete-service --service floor --query service.status --output text
`)
	want := "arn:aws:iam::" + installation.Account + ":root\nenhanced\ncontainerInsights\ndisabled\n0\nblue\n1\nACTIVE\ntrue\n0\ntrue\nRUNNING\nfalse\nDRAINING"
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// as is a client with what berth env prints for an account and a region.
func as(t *testing.T, i *installation.Installation, account, region string) (*ecs.Client, *sts.Client) {
	t.Helper()
	out, err := i.Command(t.Context(), "env", "--account", account, "--region", region).Output()
	if err != nil {
		t.Fatal(err)
	}
	exported := func(name string) string {
		m := regexp.MustCompile(`export ` + name + `='(.*)'`).FindSubmatch(out)
		if m == nil {
			t.Fatalf("no %s in %s", name, out)
		}
		return string(m[1])
	}
	keys := credentials.NewStaticCredentialsProvider(exported("AWS_ACCESS_KEY_ID"), exported("AWS_SECRET_ACCESS_KEY"), "")
	at, endpoint := exported("AWS_REGION"), aws.String(exported("AWS_ENDPOINT_URL"))
	return ecs.New(ecs.Options{Region: at, BaseEndpoint: endpoint, Credentials: keys}), sts.New(sts.Options{Region: at, BaseEndpoint: endpoint, Credentials: keys})
}

// One server answers for two accounts in two regions: each sees its own, whatever it names.
func TestAccountsAndRegions(t *testing.T) {
	t.Parallel()
	const other = "111111111111"
	i := installation.Start(t, installation.Options{Alone: true, Settings: []string{"accounts=" + installation.Account + "," + other, "regions=us-east-1,eu-west-1"}})
	mine, _ := as(t, i, installation.Account, "us-east-1")
	made, err := mine.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("blue")})
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range [][2]string{{other, "us-east-1"}, {installation.Account, "eu-west-1"}, {other, "eu-west-1"}} {
		theirs, who := as(t, i, from[0], from[1])
		id, err := who.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err != nil || *id.Account != from[0] {
			t.Fatalf("%v is %+v, %v", from, id, err)
		}
		list, err := theirs.ListClusters(t.Context(), &ecs.ListClustersInput{})
		if err != nil || len(list.ClusterArns) != 0 {
			t.Errorf("%v sees %v, %v", from, list.ClusterArns, err)
		}
		var missing *types.ClusterNotFoundException
		if _, err := theirs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("blue")}); !errors.As(err, &missing) {
			t.Errorf("%v deletes by name: %v", from, err)
		}
		var refused *types.InvalidParameterException
		if _, err := theirs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: made.Cluster.ClusterArn}); !errors.As(err, &refused) {
			t.Errorf("%v deletes by ARN: %v", from, err)
		}
	}
	if out, err := mine.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: []string{"blue"}}); err != nil || *out.Clusters[0].Status != "ACTIVE" {
		t.Errorf("%+v, %v", out, err)
	}
	var exit *exec.ExitError
	if _, err := i.Command(t.Context(), "env", "--account", "222222222222").Output(); !errors.As(err, &exit) || !strings.Contains(string(exit.Stderr), "for account 222222222222") {
		t.Errorf("an account that is not served: %v", err)
	}
}
