// Package vpc holds the records and rules of a virtual private cloud: VPCs, subnets, interfaces, security groups, network ACLs, route
// tables, gateways, addresses, regions and zones, and how lists are filtered.
//
// Guarantees:
//
//   - It is pure: no I/O, no clock, no randomness.
//   - One writer per record. What an API operation wants, what a transaction of another wing attaches and what a loop cleans up are the same
//     records, because all of it is desired state: a node makes it so, and what a node says is not written here.
//   - An address is a record of its own, so that two servers cannot give it to two interfaces.
package vpc
