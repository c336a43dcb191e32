// Package router connects tasks of the network mode awsvpc: a router namespace for each VPC that the node takes part in, and a namespace
// with an eth0 for each interface.
//
// What is guaranteed:
//
//   - The kernel is the only record. A router is a namespace mounted below RunDir/vpc under the VPC's id; an interface is a namespace mounted
//     below RunDir/eni under its id and a link in the router whose alias is the id. A process that starts anew adopts both, and replaces the
//     rules in one transaction: no packet of an established connection is lost by that.
//   - A namespace that is mounted below RunDir/eni is complete: its rules were in force before it could be found. What a process that dies half
//     way leaves has no mount and no memory; the next whole configuration sweeps it.
//   - Apply costs what the change changes. The rules of a router change in one transaction.
//   - An interface that goes is cut off in that transaction. Its link is deleted and its connections are ended beside everything else, at once
//     with others that go. Who gets its address next takes no connection over.
//   - VPCs share nothing: addresses may overlap.
//   - A VPC is one network on all nodes that have interfaces of it; see package overlay.
//   - A task reaches its VPC as groups, ACLs and routes say, its resolver and metadata whatever they say, and the machine itself, its link-local
//     addresses and other VPCs' private addresses in no case. Nothing leaves the machine with a private address as its source.
//   - The pool of public addresses is known to this machine only; an address of it that nobody has is unreachable and never leaves.
//   - Everything on the machine is named after the installation. Destroy leaves nothing behind but net.ipv4.ip_forward=1.
package router
