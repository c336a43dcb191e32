// Package authority keeps the installation's own certificate authority and the certificate of the listener that agents
// reach by TLS.
//
// Guarantees:
//
//   - The authority is made once and is the same after every restart, so that a client has to be told of it once. Its key
//     is readable by its owner only and never leaves the data directory.
//   - A certificate it issues names exactly what was asked for, can serve and nothing else, and is replaced before it ends:
//     a server that runs for years needs no restart.
//   - A certificate of files is read again when its file changes.
//   - Keys are RSA: the ECS agent's list of TLS 1.2 cipher suites has no other.
package authority
