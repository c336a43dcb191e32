// Package store keeps berth's records: typed tables over one ordered, durable key space.
//
// What it guarantees, on every implementation (package storetest checks it):
//
//   - A View reads one immutable snapshot. With Fresh the snapshot holds at least everything that was acknowledged
//     anywhere before the call.
//   - An Update is atomic and optimistic: what its function read by key is still true at the moment its writes become
//     visible, else the function runs again. When Update returns nil, a View on this server sees the writes, and
//     no crash loses them.
//   - An error of the function is answered only from a run on a fresh snapshot: a refusal is never stale.
//   - A function sees the same Now and the same NewID answers in every run of one Update.
//   - A Watch begins with a snapshot and then misses no change; a slow subscriber gets a new snapshot instead of an
//     unbounded queue.
//   - Members of a stored record that this program does not know survive being rewritten by it.
//
// Records are immutable once put or got. The package owns snapshots, transactions, indexes and fan-out; an
// implementation (store/mem, store/etcd) is a Backend: a guarded commit, a linearizable revision and an ordered feed
// of changes.
package store
