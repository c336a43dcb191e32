package ecsapi

import (
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// byNode calls an operation with the keys of a node.
func byNode[In, Out any](r *region, node string, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In) (*Out, error) {
	c := caller(op.Info.Name)
	c.Principal, c.Machine = "arn:aws:sts::000000000000:assumed-role/berth-node/"+node, node
	return guard(h)(r.Context(), c, in)
}

// onNode is the registration of a berth node.
func onNode(node string) *shape.RegisterContainerInstanceRequest {
	in := machine()
	in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(request.NodeAttribute), Value: &node})
	return in
}

// onNode makes the container instance of a node with a task on it.
func (r *region) onNode(node string) (task, arn string) {
	r.Helper()
	out, err := byNode(r, node, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, onNode(node))
	if err != nil {
		r.Fatal(err)
	}
	arn = *out.ContainerInstance.ContainerInstanceArn
	r.update(func(tx store.Tx) {
		tables.MarkConnected(tx, tables.MemberKey(us, "default", ecs.ShortID(arn)), "s1", true)
	})
	return r.run(r.definition("web", 100, 64)), arn
}

func TestANodeDoesWhatIsItsOwn(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	task, arn := r.onNode("m1")
	taskARN := us.TaskARN("default", task)

	// every thing a node may do, done by its own node and by another
	again := onNode("m1")
	again.ContainerInstanceArn = &arn
	for name, call := range map[string]func(node string) error{
		"register as the node": func(node string) error {
			_, err := byNode(r, node, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, again)
			return err
		},
		"update its state": func(node string) error {
			_, err := byNode(r, node, shape.OpUpdateContainerInstancesState, r.api.UpdateContainerInstancesState, &shape.UpdateContainerInstancesStateRequest{
				ContainerInstances: []string{arn}, Status: aws.Ptr("ACTIVE")})
			return err
		},
		"protection": func(node string) error {
			_, err := byNode(r, node, shape.OpGetTaskProtection, r.api.GetTaskProtection, &shape.GetTaskProtectionRequest{Tasks: []string{taskARN}})
			return err
		},
		"protect": func(node string) error {
			_, err := byNode(r, node, shape.OpUpdateTaskProtection, r.api.UpdateTaskProtection, &shape.UpdateTaskProtectionRequest{
				Tasks: []string{taskARN}, ProtectionEnabled: aws.Ptr(true)})
			return err
		},
		"tags of a task": func(node string) error {
			_, err := byNode(r, node, shape.OpListTagsForResource, r.api.ListTagsForResource, &shape.ListTagsForResourceRequest{ResourceArn: &taskARN})
			return err
		},
		"tags of an instance": func(node string) error {
			_, err := byNode(r, node, shape.OpListTagsForResource, r.api.ListTagsForResource, &shape.ListTagsForResourceRequest{ResourceArn: &arn})
			return err
		},
	} {
		if err := call("m1"); err != nil {
			t.Errorf("%s: the node itself: %v", name, err)
		}
		if err := call("m2"); err == nil {
			t.Errorf("%s: another node may", name)
		} else {
			refused(t, err, shape.CodeAccessDeniedException, "is not authorized to perform: ecs:")
		}
	}
}

func TestANodeRegistersAsItself(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	_, arn := r.onNode("m1")
	taken := onNode("m2")
	taken.ContainerInstanceArn = &arn
	for name, in := range map[string]*shape.RegisterContainerInstanceRequest{"without a node": machine(), "by its ARN": taken} {
		if _, err := byNode(r, "m2", shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in); err == nil {
			t.Errorf("registered %s", name)
		}
	}
	// a new registration under another's name would end the one that is there
	if _, err := byNode(r, "m2", shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, onNode("m1")); err == nil {
		t.Error("registered under another node's name")
	}
	list := must(r, shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances, &shape.DescribeContainerInstancesRequest{ContainerInstances: []string{arn}})
	if got := *list.ContainerInstances[0].Status; got != "ACTIVE" {
		t.Errorf("the instance is %s", got)
	}
}

func TestANodeReportsItsOwnTasks(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	task, arn := r.onNode("m1")
	taskARN := us.TaskARN("default", task)
	cluster := us.ClusterARN("default")
	_, err := byNode(r, "m1", shape.OpListTagsForResource, r.api.ListTagsForResource, &shape.ListTagsForResourceRequest{ResourceArn: &cluster})
	refused(t, err, shape.CodeAccessDeniedException, cluster)

	report := &shape.SubmitTaskStateChangeRequest{Task: &taskARN, Status: aws.Ptr("STOPPED")}
	_, err = byNode(r, "m2", shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, report)
	refused(t, err, shape.CodeInvalidParameterException, "The referenced task was not found.") // agents drop it
	if got := *r.task(task).LastStatus; got == "STOPPED" {
		t.Error("a task was stopped by another node's report")
	}
	if _, err := byNode(r, "m1", shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, report); err != nil {
		t.Error(err)
	}
	if got := *r.task(task).LastStatus; got != "STOPPED" {
		t.Errorf("the node's own report was not taken: %s", got)
	}

	gone := &shape.DeregisterContainerInstanceRequest{ContainerInstance: &arn, Force: aws.Ptr(true)}
	_, err = byNode(r, "m2", shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, gone)
	refused(t, err, shape.CodeAccessDeniedException, arn)
	if _, err := byNode(r, "m1", shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, gone); err != nil {
		t.Error(err)
	}
}
