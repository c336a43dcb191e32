// Package view is what the resolvers of VPCs know by themselves: the names of interfaces, those of addresses, and the zones of the node's
// configuration. It asks nobody and reads no clock: the same view, question and draw give the same answer.
//
// Guarantees:
//
//   - A View never changes, so it is read without a lock. Apply makes another at the cost of the change.
//   - Applying changes one by one gives what the whole configuration gives.
//   - A record that cannot be understood is left out and told of; it takes nothing else with it.
//   - Where AWS's names and a zone overlap, the longer name decides, and of equal ones the zone.
//   - The reverse of private addresses is answered here: it does not leave the machine.
package view
