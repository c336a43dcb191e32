package ecsapi

import (
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func TestDaemonService(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	for range 2 {
		in := machine()
		in.ContainerInstanceArn = nil
		must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in)
	}
	s := must(r, shape.OpCreateService, r.api.CreateService, &shape.CreateServiceRequest{
		ServiceName: aws.Ptr("web"), TaskDefinition: aws.Ptr("web"), SchedulingStrategy: aws.Ptr("DAEMON")}).Service
	if *s.SchedulingStrategy != "DAEMON" || *s.DesiredCount != 2 || *s.Deployments[0].DesiredCount != 2 {
		t.Errorf("%s, desired %d, %+v", *s.SchedulingStrategy, *s.DesiredCount, s.Deployments)
	}
	if c := s.DeploymentConfiguration; *c.MinimumHealthyPercent != 0 || *c.MaximumPercent != 100 {
		t.Errorf("percentages %d, %d", *c.MinimumHealthyPercent, *c.MaximumPercent)
	}
	for want, in := range map[string]*shape.UpdateServiceRequest{
		"does not support a desired count":      {DesiredCount: aws.Ptr(int32(1))},
		"does not support placement strategies": {PlacementStrategy: []shape.PlacementStrategy{{Type: aws.Ptr("random")}}},
		"values above 100 for maximumPercent":   {DeploymentConfiguration: percents(0, 200)},
	} {
		in.Service = aws.Ptr("web")
		_, err := do(r, shape.OpUpdateService, r.api.UpdateService, in)
		refused(t, err, shape.CodeInvalidParameterException, want)
	}
	listed := must(r, shape.OpListServices, r.api.ListServices, &shape.ListServicesRequest{SchedulingStrategy: aws.Ptr("DAEMON")})
	if len(listed.ServiceArns) != 1 {
		t.Errorf("listed %v", listed.ServiceArns)
	}
	gone := must(r, shape.OpDeleteService, r.api.DeleteService, &shape.DeleteServiceRequest{Service: aws.Ptr("web")}).Service
	if *gone.Status != "DRAINING" || *gone.DesiredCount != 0 {
		t.Errorf("deleted without force: %s, desired %d", *gone.Status, *gone.DesiredCount)
	}
}
