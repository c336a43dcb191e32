// Package server tells nodes what their proxies do: Envoy's delta discovery, one stream for each node, and hears what became of it.
//
// Guarantees:
//
//   - A node is who was admitted: what it says of itself counts for nothing, and it is told what is its own and nothing else.
//   - A change costs, in bytes and in work, what changed: once for all nodes, and then a few words for each that has it.
//   - What is new is told before what names it, and what is gone after what named it (seam.Types).
//   - A node that is slow is behind, and no other is: what it has not taken is kept as names, once each.
//   - A node that comes back with what it has is told the difference.
//   - What a node refuses is told again when it has changed, and not before.
package server
