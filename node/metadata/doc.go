// Package metadata answers the task metadata endpoint (version 4, and version 3 paths) and task credentials.
//
// What is guaranteed:
//
//   - An id in the path names one container. Ids are random and not guessable; in addition a task that has addresses of
//     its own is described to callers from these addresses only.
//   - Answers have the shapes of the ECS agent, so the SDKs and sidecars that parse them need no change.
//   - One caller cannot take the endpoint from the others: see Fair.
//   - Nothing is kept here: every answer is read from the Source at the time of the call.
package metadata
