// Package overlay is how a VPC spans nodes: in each router a VXLAN device whose packets the machine sends, and on the machine a guard.
//
// Guarantees:
//
//   - Where an address is comes from the configuration alone: nothing is learned, nothing is flooded. A packet for an address that nobody has
//     is not sent.
//   - The kernel is the record. A process that starts anew takes the device and what it knows over, and no packet is lost by that.
//   - VXLAN of a VPC gets in from nodes that have interfaces of it and from nobody else, as far as their addresses tell; and neither a task nor a
//     process with a socket sends any. The guard is there before the first device is.
//   - A machine whose VPCs are on no other one has neither devices nor guard.
//
// It is not encrypted: who can read or forge packets of the network between the machines reads and forges VPCs.
package overlay
