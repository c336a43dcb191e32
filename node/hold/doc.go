// Package hold is `berth hold`: one small process per node that owns what must
// not end with the node process. It holds the reading end of every container's
// output FIFOs and writes them to bounded, rotated files; it holds the FIFOs
// shims log to; it keeps listening sockets handed to it.
//
// Guarantees:
//
//   - A container never gets an error on its output because of us: while hold is
//     away its FIFO fills and it waits.
//   - kill -9 of hold, at any instant, loses no byte and writes none twice: the
//     kernel moves output from the FIFO into the log, whose size says what was
//     taken, and a page of shared memory says of which stream that is, and since when.
//   - Who prints little is in the log at once. Who prints much is read at most once a
//     millisecond, a FIFO's worth at a time, so that it keeps nobody waiting; hold
//     has none of the output in its own memory.
//   - What a container wrote before it ended survives hold's death too, as long as
//     a Client lives: the Client holds the FIFOs open. Only when both die and the
//     container ends before either is back, what still sits in the FIFO (1 MiB
//     at most) is lost with the FIFO.
//   - hold adopts, when it starts, every FIFO an earlier one left.
//   - Close returns when everything a container wrote is on disk.
//   - A Client notices hold's death, starts it again and hands it the listening
//     sockets anew.
//
// The client and the process shake hands on Version; a process of another
// version is asked to end and replaced, and its FIFOs are adopted.
package hold
