package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/test/installation"
)

// A node is where its settings say, and has the attributes that they give it.
func TestANodesZoneAndAttributes(t *testing.T) {
	t.Parallel()
	i := installation.Start(t, installation.Options{Settings: []string{"zone=us-east-1b", "attributes=rack=7,ssd"}})
	list, err := i.ECS.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{
		Filter: aws.String("attribute:ecs.availability-zone == us-east-1b and attribute:rack == 7 and attribute:ssd exists")})
	if err != nil || len(list.ContainerInstanceArns) != 1 {
		t.Errorf("%v %v", list, err)
	}
}
