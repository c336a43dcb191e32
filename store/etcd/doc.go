// Package etcd keeps a store in etcd: one embedded in this process with a data directory, or an existing one by its
// endpoints.
//
// What it adds to the guarantees of package store:
//
//   - An Update that returned nil was written to disk (embedded) or to a majority (external) before.
//   - The embedded etcd listens nowhere, unless a unix socket is asked for or it is one member of several: no task can reach it. It is called
//     directly, without a client or a connection. Members (Peer) let in only what was certified as one of them.
//   - With three members, one may be lost with its disk, and none is: what was acknowledged is there, a member with an empty data directory
//     takes its place. A read waits for the next leader.
//   - A Backup holds what was acknowledged before it was asked for. What is restored of it has later revisions than the store that was lost
//     had.
//   - The embedded etcd looks after itself: it forgets history after five minutes, gives space back to the file system,
//     and lifts its own NOSPACE alarm once there is room. Status tells what doctor shows.
//   - An etcd shared with others is used below one prefix only; versions before 3.5.13 are refused, because their
//     progress notifications could run ahead of events.
package etcd
