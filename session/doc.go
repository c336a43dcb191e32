// Package session is the protocol between an ECS server and the agent of a
// container instance: the messages of its two web sockets (ACS, the control
// session, and TCS, the telemetry session) and the rules that need no socket.
//
// Guarantees:
//
//   - The messages are those of the public amazon-ecs-agent: an unmodified agent
//     and berth's own read and write the same frames. An agent ignores message
//     types it does not know, so types of our own may be added.
//   - Decoding ignores unknown members and unknown types; it never panics on
//     what a stranger sent, and sizes are bounded by the caller before it.
//   - A server's messages are a function of what is desired and what was
//     acknowledged (see Outbox): sending one twice is harmless.
//   - No I/O, no clock.
//
// Field names are lowerCamel on the wire.
package session
