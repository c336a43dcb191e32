// Package rollout decides the next step of a service: which tasks to start and stop, which state its deployments are in, and what
// its events say.
//
// Guarantees:
//
//   - It is pure: the same snapshot gives the same plan, and a converged service an empty one.
//   - A plan may be applied in part: each step alone keeps the limits, and the next plan is made from what then is.
//   - Stops never take the healthy tasks below minimumHealthyPercent of the desired count (rounded up); starts never take the tasks that
//     should run above maximumPercent (rounded down). Only deletion and what nobody can help, a task that dies, go below.
//   - A DAEMON service has one task on each of its hosts; a host gets its next task when the one before has stopped.
//   - Nothing is started for a deployment that FAILED, and a service goes back at most once from each target.
//   - A deployment is COMPLETED once the desired count of its tasks is healthy and no task of another deployment should run.
//   - No sentence is repeated before its cause ended or six hours have passed, but for the steady state and what names tasks.
package rollout
