// Package message reads questions and writes answers of DNS as bytes, without making objects of either: what a resolver answers from memory
// costs it little more than the two copies.
//
// Guarantees:
//
//   - No input makes Parse panic, read beyond the packet or allocate.
//   - An answer repeats the question's bytes as they came, so the letters' case is the client's.
//   - An answer is never longer than its limit: records beside the answer are left out first, and when the answer itself does not fit the
//     message says so (TC) and has the records that do: some clients never ask again by TCP.
//   - Options of the client's EDNS are not repeated.
package message
