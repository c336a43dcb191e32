// Package path explains where a packet goes in a VPC: which groups, network ACLs, routes and gateways it meets, and which rule of
// which decides.
//
// Guarantees:
//
//   - It is pure, and it changes nothing.
//   - It says "open" exactly when a connection works, as far as records decide: a test holds it to what the kernel does with the same records.
//   - The way back is followed too. Groups know a connection; network ACLs do not, so that the port that the client chose counts. When it is not
//     given, all that a client may choose (1024 to 65535) have to be allowed.
package path
