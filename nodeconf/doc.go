// Package nodeconf is what a server tells a node to be: its part of the virtual networks, and what their resolvers answer.
//
// A configuration is a set of keyed resources. It is complete: what it does not name, the node does not have. It travels as changes
// (Delta), so that a change costs what it changes.
//
// Guarantees:
//
//   - Plain types, no behaviour of their own; members that a node does not know are ignored, so that servers and nodes one version apart work
//     together.
//   - Applying the changes between two configurations to the first gives the second, and Text of both is the same.
//   - A Delta that does not follow the configuration it is applied to is refused, and nothing of it is applied.
package nodeconf
