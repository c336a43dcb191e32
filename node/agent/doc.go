// Package agent is berth's own ECS agent: it registers this machine as a container instance, takes tasks from its servers
// by the ECS agent protocol, runs them, and reports what becomes of them.
//
// What is guaranteed:
//
//   - Ending Run, or killing the process, touches no container; the next Run goes on where this one stopped.
//   - Tasks run on and their ends are kept while no server can be reached; reports go out when one can.
//   - It tells its servers only of what works here: every capability it registers is one that plan accepts.
//   - Secrets are neither written to disk nor logged.
//
// The parts: plan decides what a task is made of, engine makes it, report, acs and tcs talk to the servers, db remembers.
package agent
