// Package hub is the server's end of the agents' sockets: it holds the control
// sessions (ACS) and telemetry sessions (TCS) of the container instances that
// are connected to this server.
//
// Guarantees:
//
//   - A session lives on the server that holds its socket and keeps nothing
//     durable: what it sends is a function of a store snapshot and of what the
//     agent acknowledged since it connected. Any server may hold the next one.
//   - A change of a task reaches its agent by the store's watch, not by polling;
//     the work of one change does not grow with the number of sessions.
//   - seqNum and timeline are store revisions: strictly increasing and durable.
//   - Every request is signed by a known key, or refused before the upgrade. A
//     deregistered instance is refused with InactiveInstanceException.
//   - Every telemetry publish is acknowledged. What it says of use is kept for minutes and in memory only (ServeTop);
//     of health only transitions are written.
//   - An agent that stops acknowledging heartbeats is disconnected. What one agent can ask of the server is
//     bounded: the size of a frame, the frames a second that are read, one session of each kind, one
//     verification of a manifest; what it does not acknowledge is sent again at the pace of heartbeats.
package hub
