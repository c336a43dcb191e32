// Package ruleset keeps the nftables rules of one namespace equal to a set of fragments.
//
// A fragment is what one thing (a subnet, a security group, an interface) needs of the kernel: sets, chains, and elements of its own or of
// others' sets. A change is a few fragments that are different; it costs what is different of them.
//
// Guarantees:
//
//   - A change is one transaction: no packet meets a state in between, and one that the kernel refuses changes nothing.
//   - The rules depend on the fragments alone, not on the way that led to them.
//   - Replace asks for nothing of what is there: it is the way on after a restart, and after a surprise.
package ruleset
