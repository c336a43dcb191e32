// Package joining is how machines become part of an installation: records and rules (no I/O).
//
// A ticket lets one machine in, once, as a server or as a node of an account and region. What it gets is a certificate of the installation's
// authority, which it renews by itself. A node signs its requests with keys that it is given for its certificate and that last an hour.
//
// Guarantees:
//
//   - A ticket says whom to trust: who holds it talks to servers of the installation that made it and to nobody in between.
//   - A ticket is good once and until its end. The store keeps a hash of it.
//   - The keys of a node do what an agent does, for the container instances and tasks of the machine that they were given to, in its region,
//     and nothing else.
//   - A machine that was removed gets no keys, and those that it has are good for nothing at once.
package joining
