// Package repo tests the repository itself: who imports whom, who owns which library, and the sizes and habits of
// docs/architecture.md and CONTRIBUTING.md.
//
// Guarantees:
//
//   - Every finding says where, what the rule is and why the rule exists.
//   - Generated files are left out. What else is excused stands in exceptions.txt with its reason; an exception that excuses
//     nothing any more is a finding too, so the list only holds what is needed.
//   - The rules are tested on small trees that break them: a rule that finds nothing is known to work.
package repo
