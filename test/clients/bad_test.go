package clients

import (
	"net/http"
	"slices"
	"testing"
)

const (
	parameter  = "InvalidParameterException"
	client     = "ClientException"
	noCluster  = "ClusterNotFoundException"
	noService  = "ServiceNotFoundException"
	unfeatured = "UnsupportedFeatureException"
)

// bad is a request of an operation that AWS refuses.
type bad struct{ operation, body, code, text string }

const aTask = "arn:aws:ecs:us-east-1:000000000000:task/default/0123456789abcdef0123456789abcdef"

// At least one for each operation that is served.
var badRequests = []bad{
	{"CreateCluster", `{"clusterName":"a b"}`, parameter, "a b"},
	{"CreateCluster", `{"tags":[{"key":"aws:x","value":"y"}]}`, parameter, "reserved"},
	{"DescribeClusters", `{"clusters":["` + aTask + `"]}`, parameter, "cluster"},
	{"ListClusters", `{"maxResults":101}`, parameter, "maxResults"},
	{"ListClusters", `{"nextToken":"garbage"}`, parameter, "oken"},
	{"UpdateCluster", `{"cluster":"gone"}`, noCluster, "Cluster not found."},
	{"UpdateClusterSettings", `{"cluster":"default","settings":[]}`, parameter, "Settings cannot be empty"},
	{"DeleteCluster", `{"cluster":"gone"}`, noCluster, "Cluster not found."},
	{"DeleteCluster", `{"cluster":"default"}`, "ClusterContainsContainerInstancesException", ""},

	{"RegisterTaskDefinition", `{"family":"a b","containerDefinitions":[{"name":"x","image":"x","memory":4}]}`, client, "amily"},
	{"RegisterTaskDefinition", `{"family":"bad","containerDefinitions":[]}`, client, ""},
	{"RegisterTaskDefinition", `{"family":"bad","containerDefinitions":[{"name":"x","image":"x"}]}`, client, "memory"},
	{"RegisterTaskDefinition", `{"family":"bad","containerDefinitions":[{"name":"x","image":"x","memory":1}]}`, client, "memory"},
	{"RegisterTaskDefinition", `{"family":"bad","networkMode":"moon","containerDefinitions":[{"name":"x","image":"x","memory":4}]}`, client, "moon"},
	{"RegisterTaskDefinition", `{"family":"bad","requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"256","memory":"8192","containerDefinitions":[{"name":"x","image":"x"}]}`, client, ""},
	{"RegisterTaskDefinition", `{"family":"bad","containerDefinitions":[{"name":"x","image":"x","memory":4,"dependsOn":[{"containerName":"x","condition":"START"}]}]}`, client, ""},
	{"DescribeTaskDefinition", `{"taskDefinition":"gone"}`, client, "Unable to describe task definition."},
	{"DescribeTaskDefinition", `{}`, parameter, "'taskDefinition' failed to satisfy constraint: Member must not be null"},
	{"ListTaskDefinitions", `{"status":"SLEEPING"}`, parameter, "SLEEPING"},
	{"ListTaskDefinitionFamilies", `{"status":"SLEEPING"}`, parameter, "SLEEPING"},
	{"DeregisterTaskDefinition", `{"taskDefinition":"gone:1"}`, client, ""},
	{"DeregisterTaskDefinition", `{"taskDefinition":"gone"}`, parameter, ""},
	{"DeleteTaskDefinitions", `{"taskDefinitions":[]}`, parameter, ""},

	{"RegisterContainerInstance", `{"cluster":"gone"}`, client, "Cluster not found."},
	{"DeregisterContainerInstance", `{"containerInstance":"gone"}`, parameter, "not found"},
	{"DescribeContainerInstances", `{"containerInstances":[]}`, parameter, "between 1 and 100"},
	{"ListContainerInstances", `{"filter":"attribute:x =="}`, parameter, "Invalid expression"},
	{"UpdateContainerInstancesState", `{"containerInstances":["i"],"status":"REGISTERING"}`, parameter, "ACTIVE,DRAINING"},

	{"RunTask", `{}`, parameter, "'taskDefinition' failed to satisfy constraint: Member must not be null"},
	{"RunTask", `{"taskDefinition":"gone"}`, client, "TaskDefinition not found."},
	{"RunTask", `{"taskDefinition":"bad-requests","count":11}`, parameter, "between 1 and 10"},
	{"RunTask", `{"taskDefinition":"bad-requests","cluster":"gone"}`, noCluster, "Cluster not found."},
	{"RunTask", `{"taskDefinition":"bad-requests","launchType":"FARGATE"}`, parameter, "FARGATE"},
	{"RunTask", `{"taskDefinition":"bad-requests","propagateTags":"SERVICE"}`, parameter, "SERVICE"},
	{"RunTask", `{"taskDefinition":"bad-requests","group":"service:x"}`, parameter, "service:"},
	{"RunTask", `{"taskDefinition":"bad-requests","overrides":{"containerOverrides":[{"name":"nobody"}]}}`, parameter, "nobody"},
	{"RunTask", `{"taskDefinition":"bad-requests","placementConstraints":[{"type":"memberOf","expression":"x ="}]}`, parameter, ""},
	{"StartTask", `{"taskDefinition":"bad-requests","containerInstances":[]}`, parameter, ""},
	{"StopTask", `{"task":"0123456789abcdef0123456789abcdef"}`, parameter, "The referenced task was not found."},
	{"DescribeTasks", `{"tasks":[]}`, parameter, ""},
	{"DescribeTasks", `{"cluster":"gone","tasks":["x"]}`, noCluster, "Cluster not found."},
	{"ListTasks", `{"cluster":"gone"}`, noCluster, "Cluster not found."},
	{"ListTasks", `{"desiredStatus":"TIRED"}`, parameter, "TIRED"},

	{"CreateService", `{"taskDefinition":"bad-requests"}`, parameter, ""},
	{"CreateService", `{"serviceName":"a b","taskDefinition":"bad-requests","desiredCount":1}`, parameter, ""},
	{"CreateService", `{"serviceName":"s","taskDefinition":"bad-requests","desiredCount":-1}`, parameter, ""},
	{"CreateService", `{"serviceName":"s","taskDefinition":"gone","desiredCount":1}`, client, "TaskDefinition not found."},
	{"CreateService", `{"serviceName":"s","taskDefinition":"bad-requests","desiredCount":1,"schedulingStrategy":"DAEMON"}`, parameter, "desired count"},
	{"CreateService", `{"serviceName":"s","taskDefinition":"bad-requests","desiredCount":1,"loadBalancers":[{"targetGroupArn":"x","containerName":"main","containerPort":80}]}`, parameter, "targetGroupArn"},
	{"CreateService", `{"serviceName":"s","taskDefinition":"bad-requests","desiredCount":1,"deploymentConfiguration":{"maximumPercent":50,"minimumHealthyPercent":100}}`, parameter, ""},
	{"UpdateService", `{"service":"gone","desiredCount":1}`, noService, "Service not found."},
	{"DeleteService", `{"service":"gone"}`, noService, "Service not found."},
	{"DescribeServices", `{"services":[]}`, parameter, ""},
	{"DescribeServices", `{"services":["a","b","c","d","e","f","g","h","i","j","k"]}`, parameter, "10"},
	{"ListServices", `{"cluster":"gone"}`, noCluster, "Cluster not found."},

	{"DescribeServiceDeployments", `{"serviceDeploymentArns":[]}`, parameter, ""},
	{"DescribeServiceRevisions", `{"serviceRevisionArns":[]}`, parameter, ""},
	{"ListServiceDeployments", `{"service":"gone"}`, noService, ""},
	{"StopServiceDeployment", `{"serviceDeploymentArn":"x"}`, parameter, ""},

	{"GetTaskProtection", `{"cluster":"gone","tasks":["x"]}`, noCluster, ""},
	{"UpdateTaskProtection", `{"cluster":"default","tasks":[],"protectionEnabled":true}`, parameter, ""},
	{"PutAccountSetting", `{"name":"x","value":"enabled"}`, parameter, ""},
	{"PutAccountSettingDefault", `{"name":"x","value":"enabled"}`, parameter, ""},
	{"DeleteAccountSetting", `{"name":"x"}`, parameter, ""},
	{"ListAccountSettings", `{"value":"enabled"}`, parameter, ""},
	{"PutAttributes", `{"cluster":"gone","attributes":[{"name":"a"}]}`, noCluster, ""},
	{"DeleteAttributes", `{"cluster":"gone","attributes":[{"name":"a"}]}`, noCluster, ""},
	{"ListAttributes", `{"targetType":"task"}`, parameter, ""},
	{"UpdateContainerAgent", `{"containerInstance":"gone"}`, parameter, ""},
	{"DescribeCapacityProviders", `{"nextToken":"garbage"}`, parameter, ""},
	{"PutClusterCapacityProviders", `{"cluster":"gone","capacityProviders":[],"defaultCapacityProviderStrategy":[]}`, noCluster, ""},

	{"TagResource", `{"resourceArn":"nonsense","tags":[{"key":"k","value":"v"}]}`, parameter, ""},
	{"TagResource", `{"resourceArn":"` + aTask + `","tags":[{"key":"k","value":"v"}]}`, parameter, "not found"},
	{"UntagResource", `{"resourceArn":"` + aTask + `","tagKeys":["k"]}`, parameter, "not found"},
	{"ListTagsForResource", `{"resourceArn":"` + aTask + `"}`, parameter, "not found"},
	{"ListTagsForResource", `{}`, parameter, "resourceArn"},

	{"SubmitTaskStateChange", `{"task":"` + aTask + `","status":"TIRED"}`, parameter, "PENDING, RUNNING, STOPPED"},
	{"SubmitTaskStateChange", `{"task":"` + aTask + `","status":"RUNNING"}`, parameter, "The referenced task was not found."},
	{"SubmitContainerStateChange", `{"task":"` + aTask + `","containerName":"x","status":"RUNNING"}`, parameter, "The referenced task was not found."},
	{"SubmitAttachmentStateChanges", `{"attachments":[{"attachmentArn":"","status":""}]}`, parameter, "attachmentArn"},
	{"DiscoverPollEndpoint", `{"cluster":1}`, "SerializationException", "NUMBER_VALUE"},
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	good := request{operation: "RegisterTaskDefinition", body: `{"family":"bad-requests","containerDefinitions":[{"name":"main","image":"x","memory":16}]}`}
	if a := good.send(t); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	for _, b := range badRequests {
		t.Run(b.operation+" "+b.body, func(t *testing.T) {
			refused(t, request{operation: b.operation, body: b.body}, http.StatusBadRequest, b.code, b.text)
		})
	}
}

// Every operation that is served has a row above, and takes a document of its own shape and no other.
func TestEveryOperationRefusesWhatIsNotItsDocument(t *testing.T) {
	t.Parallel()
	operations := served(t)
	if len(operations) < 50 {
		t.Fatalf("only %d operations are served: %v", len(operations), operations)
	}
	for _, operation := range operations {
		if !slices.ContainsFunc(badRequests, func(b bad) bool { return b.operation == operation }) {
			t.Errorf("%s has no bad request", operation)
		}
		for _, body := range []string{`{"cluster":`, `[]`, `"text"`, "{\"x\":\"\xff\"}"} {
			refused(t, request{operation: operation, body: body}, 400, "SerializationException", "")
		}
	}
}
