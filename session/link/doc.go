// Package link is the server's end of the link to berth's own nodes: it tells each of them how its configuration changes, and hears what it has
// become.
//
// Guarantees:
//
//   - A node is told of its own configuration only, and only to a caller of an account that has a container instance on it. Names of nodes
//     are random and not guessable; until nodes have credentials of their own, whoever holds the account's keys may ask for its nodes.
//   - What is sent leads from what the node has to what it should be: a node that comes back says its version and hears what changed since,
//     or the whole. One that cannot go on from there says so and hears the whole.
//   - A change goes out when it is known; one node that is slow or silent delays no other. Of a node that does not keep up, changes are
//     put together into one.
//   - A node has one session a server: a new one ends the one before.
//   - Sizes are bounded both ways: parts of a change, frames of a node, changes that are not acknowledged.
package link
