package tables

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// The status of a service as version 1 stored it.
type serviceStatusV1 struct {
	ecs.Home
	Cluster, Name, Incarnation string
	InactiveAt                 time.Time
	Deployments                []deploymentStatusV1
	Steady                     time.Time
	Said                       map[string]time.Time
}

type deploymentStatusV1 struct {
	ecs.Deployment
	UpdatedAt    time.Time
	RolloutState string
	Reason       string
	FailedTasks  int32
	Failures     int32
	FailedAt     time.Time
	NextStartAt  time.Time
}

var serviceStatusesV1 = store.Define(store.Def[serviceStatusV1]{Name: "ecs.service.status", Version: 1,
	Key: func(s *serviceStatusV1) string { return MemberKey(s.Home, s.Cluster, s.Name) }})

// A task and its status as version 1 stored them, as far as it is read here.
type (
	taskV1 struct {
		ecs.Home
		Cluster, ID, Family string
		Containers          []ecs.TaskContainer
		Holds               ecs.Amounts
	}
	taskStatusV1 struct {
		ecs.Home
		Cluster, ID, Instance, LastStatus string
		Containers                        []ecs.ContainerStatus
	}
)

var (
	tasksV1 = store.Define(store.Def[taskV1]{Name: "ecs.task", Version: 1,
		Key: func(t *taskV1) string { return MemberKey(t.Home, t.Cluster, t.ID) }})
	taskStatusesV1 = store.Define(store.Def[taskStatusV1]{Name: "ecs.task.status", Version: 1,
		Key: func(t *taskStatusV1) string { return MemberKey(t.Home, t.Cluster, t.ID) }})
)

// A task of version 1 has no interface of its own: a report of its node moves it as it did.
func TestTaskOfVersion1(t *testing.T) {
	older := mem.Open(store.Schema{tasksV1, taskStatusesV1}, mem.Options{})
	newer := older.Join(Schema(), mem.Options{})
	h := ecs.Home{Account: "1", Region: "r"}
	key := MemberKey(h, "c", "t")
	err := older.Update(t.Context(), func(tx store.Tx) error {
		tasksV1.Put(tx, &taskV1{Home: h, Cluster: "c", ID: "t", Family: "web", Holds: ecs.Amounts{CPU: 5}, Containers: []ecs.TaskContainer{{Name: "app", Essential: true}}})
		taskStatusesV1.Put(tx, &taskStatusV1{Home: h, Cluster: "c", ID: "t", Instance: "i", LastStatus: ecs.TaskPending, Containers: []ecs.ContainerStatus{{Name: "app", LastStatus: ecs.TaskPending}}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = newer.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		task, ok := Tasks.Peek(tx, key)
		s, known := TaskStatuses.Peek(tx, key)
		if !ok || !known {
			t.Fatal("it is not read")
		}
		next, _ := task.Fold(s, ecs.Report{Status: ecs.TaskRunning}, tx.Now())
		if task.Interface != nil || s.Attachment != "" || task.Holds.CPU != 5 || next.LastStatus != ecs.TaskRunning || next.Attachment != "" {
			t.Errorf("read as %+v and %+v, then %+v", task, s, next)
		}
		return nil
	})
}

// A status of version 1 is read as it is: its completed deployment is the one to go back to.
func TestServiceStatusOfVersion1(t *testing.T) {
	older := mem.Open(store.Schema{serviceStatusesV1}, mem.Options{})
	newer := older.Join(Schema(), mem.Options{})
	h := ecs.Home{Account: "1", Region: "r"}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	err := older.Update(t.Context(), func(tx store.Tx) error {
		serviceStatusesV1.Put(tx, &serviceStatusV1{Home: h, Cluster: "c", Name: "s", Incarnation: "i", Steady: at, Deployments: []deploymentStatusV1{
			{Deployment: ecs.Deployment{ID: "ecs-svc/2"}, RolloutState: "IN_PROGRESS", FailedTasks: 2, FailedAt: at},
			{Deployment: ecs.Deployment{ID: "ecs-svc/1", TaskDefinition: "old"}, RolloutState: "COMPLETED"},
		}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = newer.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		s, ok := ServiceStatuses.Peek(tx, MemberKey(h, "c", "s"))
		if !ok {
			t.Fatal("it is not read")
		}
		back := s.WayBack("ecs-svc/2")
		if back == nil || back.TaskDefinition != "old" || s.Deployments[0].FailedTasks != 2 || !s.Steady.Equal(at) || s.Rollback != nil {
			t.Errorf("read as %+v, with the way back %+v", s, back)
		}
		return nil
	})
}

// A ledger of version 1 and a task of version 3, as far as it is read here: neither knows ephemeral storage.
type (
	amountsV1 struct {
		CPU, MemoryMiB int64
		TCP, UDP       []int
		Tasks          int
	}
	ledgerV1 struct {
		Region, Node string
		Total, Used  amountsV1
	}
	taskV3 struct {
		ecs.Home
		Cluster, ID, Family, LaunchType, Memory, Node string
		Holds                                         amountsV1
	}
)

var (
	ledgersV1 = store.Define(store.Def[ledgerV1]{Name: "ecs.ledger", Version: 1,
		Key: func(l *ledgerV1) string { return LedgerKey(l.Region, l.Node) }})
	tasksV3 = store.Define(store.Def[taskV3]{Name: "ecs.task", Version: 3,
		Key: func(t *taskV3) string { return MemberKey(t.Home, t.Cluster, t.ID) }})
)

// A node that registered before has no storage until it registers again; a task that began before goes on without a limit, and gives back what it holds.
func TestRecordsWithoutStorage(t *testing.T) {
	older := mem.Open(store.Schema{ledgersV1, tasksV3}, mem.Options{})
	newer := older.Join(Schema(), mem.Options{})
	h := ecs.Home{Account: "1", Region: "r"}
	err := older.Update(t.Context(), func(tx store.Tx) error {
		ledgersV1.Put(tx, &ledgerV1{Region: "r", Node: "n", Total: amountsV1{CPU: 9, MemoryMiB: 900}, Used: amountsV1{CPU: 5, MemoryMiB: 512, Tasks: 1}})
		tasksV3.Put(tx, &taskV3{Home: h, Cluster: "c", ID: "t", Family: "web", LaunchType: "FARGATE", Memory: "512", Node: "n", Holds: amountsV1{CPU: 5, MemoryMiB: 512, Tasks: 1}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = newer.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		l, ok := Ledgers.Peek(tx, LedgerKey("r", "n"))
		task, known := Tasks.Peek(tx, MemberKey(h, "c", "t"))
		if !ok || !known {
			t.Fatal("they are not read")
		}
		if left := place.Release(l.Used, task.Holds); l.Total.StorageGiB != 0 || task.Holds.StorageGiB != 0 || task.BesideMiB() != 0 || left.CPU+left.MemoryMiB+left.StorageGiB != 0 {
			t.Errorf("read as %+v and %+v; %+v are left", l, task, left)
		}
		return nil
	})
}
