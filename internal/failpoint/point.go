package failpoint

// Point is an instant, or, for Around, a step with an instant before and after it. Its name begins with the process that
// passes it.
type Point string

// Steps of a node, in the order of a task's life.
const (
	Register      Point = "node/register"       // the call
	SaveInstance  Point = "node/save-instance"  // who the node is, on disk
	SaveSeq       Point = "node/save-seq"       // the highest number of a manifest
	Save          Point = "node/save"           // task records
	Ack           Point = "node/ack"            // of a payload
	Pull          Point = "node/pull"           // an image
	Volumes       Point = "node/volumes"        // their directories
	Cgroup        Point = "node/cgroup"         // a task's
	Storage       Point = "node/storage"        // a task's file system
	Lease         Point = "node/lease"          // containerd's, of a task
	Shim          Point = "node/shim"           // its process
	Attach        Point = "node/attach"         // an endpoint
	Files         Point = "node/files"          // hosts, hostname, resolv.conf
	OpenOutput    Point = "node/open-output"    // asked of hold
	Sandbox       Point = "node/sandbox"        // a container's sandbox record
	Snapshot      Point = "node/snapshot"       // its file system
	Record        Point = "node/record"         // containerd's record of it
	Create        Point = "node/create"         // runc create
	MarkStarted   Point = "node/mark-started"   // the file that says it was told to start
	Start         Point = "node/start"          // runc start
	Kill          Point = "node/kill"           // a signal
	Report        Point = "node/report"         // a state change, to the server
	DeleteTask    Point = "node/delete-task"    // runc delete
	DeleteRecords Point = "node/delete-records" // containerd's
	Detach        Point = "node/detach"         // an endpoint
	CloseOutput   Point = "node/close-output"   // asked of hold
	StopShim      Point = "node/stop-shim"
	EndLease      Point = "node/end-lease"
	RemoveCgroup  Point = "node/remove-cgroup"
	RemoveFiles   Point = "node/remove-files"
	Forget        Point = "node/forget"             // the record of a task that ended long ago
	Sweep         Point = "node/sweep"              // what belongs to nobody
	Rules         Point = "node/rules"              // of a VPC's router, in the kernel
	KeepConf      Point = "node/keep-configuration" // a change of the node's configuration, on disk
	BeConf        Point = "node/be-configuration"   // its parts, what the configuration says
)

// Instants within a node's steps.
const (
	ShimRuns       Point = "node/shim:runs"               // and where it listens is not written down
	SpareTaken     Point = "node/spare:taken"             // a shim made ahead has a task now
	StorageCopied  Point = "node/storage:copied"          // its file, and nothing is mounted
	StorageGone    Point = "node/storage:unmounted"       // the file is there
	LinkMade       Point = "node/slot:link-made"          // and has no address
	SlotMade       Point = "node/slot:made"               // a namespace made ahead
	LinkMarked     Point = "node/attach:marked"           // as an endpoint's
	Published      Point = "node/attach:published"        // its ports; nobody could find them
	Unpublished    Point = "node/detach:unpublished"      // its ports
	Unmounted      Point = "node/detach:unmounted"        // its namespace; the link is there
	ENIMarked      Point = "node/eni:marked"              // a link made ahead has an interface's id, not its name
	ENIConfigured  Point = "node/eni:configured"          // and nobody could find it
	ENIUnmounted   Point = "node/eni:unmounted"           // the link is there
	ENIDeleted     Point = "node/eni:deleted"             // the link; the rules that kept it shut are there
	BoxRecorded    Point = "node/box:recorded"            // a sandbox's first container; the shim does not know it
	BoxCreated     Point = "node/box:created"             // runsc has made it, and nothing runs in it
	BoxRemoved     Point = "node/box:removed"             // its processes; what it had mounted is there
	RecordDeleted  Point = "node/delete-records:record"   // the snapshot is there
	SnapshotGone   Point = "node/delete-records:snapshot" // the sandbox record is there
	SandboxDeleted Point = "node/delete-records:sandbox"  // the mark of its start is there
	ConfWritten    Point = "node/keep-configuration:new"  // the whole, beside the file that it becomes
	Acknowledged   Point = "node/report:acknowledged"     // and not written down
	Accepted       Point = "node/accepted"                // a payload's task, in memory
)

// Steps and instants of hold.
const (
	HoldMeta    Point = "hold/meta"         // what an output's directory is
	HoldFIFO    Point = "hold/fifo"         // one made
	HoldTaken   Point = "hold/taken"        // bytes are in the log, without a head
	HoldWriting Point = "hold/writing"      // the journal says so, the bytes are in the FIFO
	HoldWritten Point = "hold/written"      // the chunk is whole, the journal does not say so
	HoldFinish  Point = "hold/finish"       // an output
	HoldClosed  Point = "hold/finish:files" // its FIFOs are there
	HoldRemove  Point = "hold/remove"       // a task's logs
	HoldKeep    Point = "hold/keep"         // a listening socket
)

// Steps of a server. Commits of the store have a kind beside: the tables they write.
const (
	Commit   Point = "server/commit"
	Payload  Point = "server/payload"            // to an agent
	AckKept  Point = "server/ack"                // an agent's, in the outbox
	TellConf Point = "server/tell-configuration" // a change, to a node
)

const (
	before = ":before"
	after  = ":after"
)

var steps = []Point{
	Register, SaveInstance, SaveSeq, Save, Ack, Pull, Volumes, Cgroup, Storage, Lease, Shim, Attach, Files, OpenOutput, Sandbox, Snapshot,
	Record, Create, MarkStarted, Start, Kill, Report, DeleteTask, DeleteRecords, Detach, CloseOutput, StopShim, EndLease,
	RemoveCgroup, RemoveFiles, Forget, Sweep, Rules, HoldMeta, HoldFinish, HoldRemove, HoldKeep, Payload, AckKept,
	KeepConf, BeConf, TellConf,
}

var instants = []Point{
	ShimRuns, SpareTaken, StorageCopied, StorageGone, LinkMade, SlotMade, LinkMarked, Published, Unpublished, Unmounted, RecordDeleted, SnapshotGone,
	BoxRecorded, BoxCreated, BoxRemoved, ENIMarked, ENIConfigured, ENIUnmounted, ENIDeleted, SandboxDeleted, Acknowledged, Accepted, HoldFIFO, HoldTaken, HoldWriting, HoldWritten, HoldClosed,
	ConfWritten,
}

// All are the points that can be armed, but for the commits of the store, whose kinds are found by passing them.
func All() []Point {
	var out []Point
	for _, p := range steps {
		out = append(out, p+before, p+after)
	}
	return append(out, instants...)
}
