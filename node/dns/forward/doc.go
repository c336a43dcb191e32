// Package forward asks other servers what a resolver does not know itself, and remembers what they said.
//
// Guarantees:
//
//   - A question that is asked by many at once is asked once.
//   - An answer is kept as long as its records say, an hour at most; "there is none" as long as its zone says, half an hour at most. What is
//     kept is bounded in number and in bytes; the longest unused goes first.
//   - Every server is tried, the one that answered last first, until five seconds are over; an answer that was cut off is fetched by TCP.
//   - When no server answers, what was known before is answered, for up to a day after its time, with 30 seconds to keep it.
//   - An answer counts only if it is to the question that was asked, by its number and its words, from the server that was asked; and of it only what is about
//     the name that was asked for.
package forward
