// Package introspection answers the ECS agent's introspection API: which instance this is and which tasks it has.
//
// What is guaranteed:
//
//   - Answers have the shapes of the ECS agent.
//   - On every address, which is how the agent listens, only this machine and the containers on its bridge are answered:
//     what the agent leaves to a firewall is done here. An address that is configured answers whoever reaches it.
//   - A port that somebody else has is tried again; it stops nothing.
package introspection
