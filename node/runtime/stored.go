package runtime

import (
	"context"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/mount"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/again"
	"github.com/berth-ecs/berth/node/runtime/snapshot"
	"github.com/berth-ecs/berth/node/runtime/storage"
)

func (r *Runtime) storage() storage.Config {
	return storage.Config{Dir: filepath.Join(r.c.DataDir, "storage"), Mounts: filepath.Join(r.c.DataDir, "tasks"), Making: &r.blanks}
}

// CanStore says why this node's tasks cannot have storage of a size of its own; nil when they can.
func CanStore() error { return storage.Can() }

// Store gives a task a file system of so many GiB, where its own directory is: tasks/ID in the data directory. What its containers write
// lies there from then on, whatever else is written there counts too, and Release removes all of it. It is idempotent. Ask before the
// task's first container is made.
func (r *Runtime) Store(ctx context.Context, task string, gib int64) error {
	if err := checkTaskID(task); err != nil {
		return named(ResourceInitializationError, err)
	}
	defer failpoint.Around(failpoint.Storage)()
	unlock := r.shims.Lock("storage " + task)
	defer unlock()
	return named(ResourceInitializationError, again.Do(ctx, func() error { return r.storage().Make(ctx, task, gib) }))
}

// StorageUse is what a task's file system holds, in bytes.
type StorageUse = storage.Usage

// StorageUse is that of a task; false when it has none of its own.
func (r *Runtime) StorageUse(task string) (StorageUse, bool) { return r.storage().Usage(task) }

// rootOf makes a container's root of what the snapshotter answered: with storage of its task's own, of a view, as it writes there.
func (r *Runtime) rootOf(id string, mounts []mount.Mount) ([]mount.Mount, error) {
	if !r.storage().Has(id[:32]) {
		return mounts, nil
	}
	return r.storage().Root(id, snapshot.Dirs(mounts), mounts)
}

// newSnapshot makes a container's: of its own or, when it writes to its task's storage, a view of the image.
func (r *Runtime) newSnapshot(ctx context.Context, c Container) ([]mount.Mount, error) {
	begin := r.cd.SnapshotService(snapshotter).Prepare
	if r.storage().Has(c.TaskID) {
		begin = r.cd.SnapshotService(snapshotter).View
	}
	return begin(ctx, c.ID, c.Image.ChainID)
}
