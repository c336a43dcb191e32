// Package tryout makes a region of several machines on one, to try it out: each machine is a network namespace with a server or a node of its own.
//
// Guarantees:
//
//   - What is to be there is written down before it is made: whatever is killed and whenever, Up makes the rest and Down removes all of it.
//   - The endpoint is where that of a region of one machine is, and answers as long as a server does.
//   - A machine that was lost has nothing left; another in its place has its name and address, and has to join.
//   - At most one command changes the machines at a time.
package tryout
