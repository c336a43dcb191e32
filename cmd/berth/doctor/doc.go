// Package doctor examines a machine: is it fit to run an ECS region, and what should be done about what is not?
//
// Guarantees:
//
//   - Gather only reads. It changes nothing on the machine, and what it cannot learn is a fact too ("not known").
//   - Each check is a pure function of the gathered Facts; Examine calls all of them, always in the same order.
//   - Every finding that is not OK has a remedy: what to do, as a command where there is one.
package doctor
