// Package permission turns what requests say of security group rules into rules, and rules into what answers say.
//
// Guarantees:
//
//   - A rule has one form: protocols are numbers, ranges of addresses begin at their first one, ports that have no meaning are -1. Two ways to
//     say the same thing are one rule.
//   - What is refused is refused as EC2 words it.
package permission
