// Package place decides which container instances run tasks, and says why not the others.
//
// Guarantees:
//
//   - It is pure: no I/O, clock or randomness; the seed of every random choice is an input. The same request and candidates, in any
//     order, give the same result.
//   - It never over-commits: what it places fits into what each ledger has left, ports included, also when several candidates
//     share one ledger.
//   - It refuses only when a filter refuses: while there is a candidate that every filter accepts, a task is placed. Constraints bind;
//     strategies only order.
//   - A refusal counts each candidate under one reason and names the candidate that came closest.
package place
