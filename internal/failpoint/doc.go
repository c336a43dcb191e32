// Package failpoint names the instants at which a crash hurts most: beside every durable write and every effect outside of this
// program. A test that kills a process at one of them, and not at some moment, tells which step is not made good.
//
// Guarantees:
//
//   - Nothing happens unless Arm read the environment and found a point named there; a point that is passed costs a load.
//   - The point that is named kills its process by SIGKILL at the hit that is named, once: the mark it leaves first disarms
//     every later process of the same environment.
//   - Every point is in All, or begins with a Commit kind of the store, and is placed at one place in the code.
//
// The environment: FAILPOINT is "POINT HIT MARK", where HIT counts from 1 and MARK is the path of a file that must not be
// there yet; FAILPOINT_SEEN is a file to which the name of each point is appended when it is passed for the first time.
package failpoint
