package ecsapi

import (
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func listHistory(in shape.ListServiceDeploymentsRequest) func(*region) error {
	return ask(shape.OpListServiceDeployments, (*API).ListServiceDeployments, in)
}

func stopDeployment(arn, how string) func(*region) error {
	return ask(shape.OpStopServiceDeployment, (*API).StopServiceDeployment, shape.StopServiceDeploymentRequest{ServiceDeploymentArn: &arn, StopType: &how})
}

func describeHistory(arns ...string) func(*region) error {
	return ask(shape.OpDescribeServiceDeployments, (*API).DescribeServiceDeployments, shape.DescribeServiceDeploymentsRequest{ServiceDeploymentArns: arns})
}

func describeRevisions(arns ...string) func(*region) error {
	return ask(shape.OpDescribeServiceRevisions, (*API).DescribeServiceRevisions, shape.DescribeServiceRevisionsRequest{ServiceRevisionArns: arns})
}

var badHistory = []bad{
	{"ListServiceDeployments/service", listHistory(shape.ListServiceDeploymentsRequest{}), badParameter, "not the id or ARN of a service"},
	{"ListServiceDeployments/unknown", listHistory(shape.ListServiceDeploymentsRequest{Service: aws.Ptr("gone")}), shape.CodeServiceNotFoundException, "Service not found."},
	{"ListServiceDeployments/cluster", listHistory(shape.ListServiceDeploymentsRequest{Service: aws.Ptr("web"), Cluster: aws.Ptr("gone")}), noCluster, "Cluster not found."},
	{"ListServiceDeployments/maxResults", listHistory(shape.ListServiceDeploymentsRequest{Service: aws.Ptr("web"), MaxResults: aws.Ptr(int32(101))}), badParameter, "between 1 and 100"},
	{"ListServiceDeployments/token", listHistory(shape.ListServiceDeploymentsRequest{Service: aws.Ptr("web"), NextToken: aws.Ptr("x")}), badParameter, "nextToken"},
	{"ListServiceDeployments/times", listHistory(shape.ListServiceDeploymentsRequest{Service: aws.Ptr("web"),
		CreatedAt: &shape.CreatedAt{After: aws.At(time.Unix(2, 0)), Before: aws.At(time.Unix(1, 0))}}), badParameter, "must not be earlier"},
	{"DescribeServiceDeployments/none", describeHistory(), badParameter, "between 1 and 20"},
	{"DescribeServiceDeployments/many", describeHistory(make([]string, 21)...), badParameter, "between 1 and 20"},
	{"DescribeServiceDeployments/name", describeHistory("web"), badParameter, "not an ARN"},
	{"DescribeServiceDeployments/kind", describeHistory(us.ServiceARN("default", "web")), badParameter, "is the ARN of a service"},
	{"DescribeServiceDeployments/short", describeHistory("arn:aws:ecs:us-east-1:000000000000:service-deployment/web/x"), badParameter, "number of separators"},
	{"DescribeServiceRevisions/none", describeRevisions(), badParameter, "between 1 and 20"},
	{"DescribeServiceRevisions/account", describeRevisions("arn:aws:ecs:us-east-1:111111111111:service-revision/default/web/1"), badParameter, "AccountIDs mismatch"},
	{"StopServiceDeployment/unknown", stopDeployment(us.ServiceDeploymentARN("default", "web", "x"), "ABORT"), shape.CodeServiceDeploymentNotFoundException, "not found"},
	{"StopServiceDeployment/type", stopDeployment(us.ServiceDeploymentARN("default", "web", "x"), "PAUSE"), badParameter, "Invalid stopType: 'PAUSE'"},
	{"StopServiceDeployment/name", stopDeployment("web", "ABORT"), badParameter, "not an ARN"},
}
