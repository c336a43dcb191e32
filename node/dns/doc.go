// Package dns is the resolver that tasks of a VPC ask: it answers the names of the VPC and of its zones from memory, and asks the machine's
// own servers about all others. The machine itself is answered as in the VPC that it counts as in.
//
// Guarantees:
//
//   - Each VPC has its own sockets and its own names; two VPCs may have the same addresses.
//   - What is answered from memory waits for nothing: no lock, no other question.
//   - A question that must be asked elsewhere is answered within about five seconds, with SERVFAIL at worst. So many of them may wait, in all
//     of a VPC and of one address in it; further ones are dropped, as AWS drops those above its rate, so that one task cannot take the
//     resolver from the others.
//   - The resolver never asks itself.
//   - With a Keeper no question is lost while the process is replaced: the sockets stay, and what came meanwhile is answered then.
//   - Nothing that is received makes it end.
package dns
