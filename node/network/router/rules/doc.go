// Package rules says which nftables rules a router namespace needs for each thing of a configuration. It is pure: it makes fragments and
// applies none.
//
// How a packet goes:
//
//	netdev ingress of its interface   it is the interface's own; its mark becomes the subnet
//	prerouting -300                   network ACLs: out of its subnet, into that of its destination
//	prerouting -150 "from"            known connections; else the route, then what the groups of its interface let out
//	prerouting -100                   public destinations become private
//	postrouting 100                   sources become public, or the NAT gateway's
//	postrouting 150 "to"              what the groups of the interface it goes to let in
//
// Groups are asked before a destination is translated and after a source is, so that they see the addresses that AWS's groups see.
//
// Guarantees:
//
//   - A packet's path has the same length however many interfaces, groups, rules and routes there are, apart from the groups of its own
//     interface and the rules among them that name other groups.
//   - What no rule lets through is dropped: an interface without fragments sends and receives nothing.
//   - Nothing leaves by the edge with a private source.
//   - Marks are addresses, chosen by the configuration alone.
package rules
