// Package compile turns the records of the VPC wing into what each node must be: one nodeconf.Config a node.
//
// An Index is fed with changes of single records and answers which resources of which nodes changed. It keeps no configuration of a node:
// a resource is compiled once, whoever has it, and a node has it as long as something of the node needs it. An interface needs its VPC, its
// subnet and its groups, a subnet its ACL, its route table and the NAT gateways that this leads to, a group the members of the groups that its
// rules name, a NAT gateway the subnet that it is in with its ACL and route table. A VPC of which the node has an interface, or that its machine counts
// as in, needs its zones with all their values: the private ones of another VPC are not told.
//
// Guarantees:
//
//   - It is pure: no I/O, no clock, no goroutine. Records are never changed, and what it hands out must not be.
//   - The same records give the same configurations, whatever the order and the number of steps they came in.
//   - The changes that Apply answers lead from a node's configuration before to the one after, and hold nothing else: what ends as it was
//     is not in them.
//   - A configuration names what the node's interfaces need and nothing besides. An interface whose VPC or subnet has no record is not
//     compiled. Another reference whose record is missing stays as it is and allows nothing: no API leaves one behind.
//   - The ranges of a group are disjoint for each protocol, as interval sets of the kernel want them; what protocol -1 allows to or from an
//     address is not said again.
//   - It never panics on records, however wrong.
//
// What a change costs: an interface costs its own resources; one more entry for each node that has rules naming its groups; and, once nodes
// have addresses (SetNode), one for each other node that takes part in its VPC. The last is the only cost that grows with the nodes of a VPC, and
// a region on one machine does not have it. A node's first interface in a VPC costs what the VPC has. A rule costs its group. A value of a zone costs one
// resource for each node that has the zone. A change
// of routing (tables, gateways, associations, subnets, VPCs) costs the tables of its VPC.
package compile
