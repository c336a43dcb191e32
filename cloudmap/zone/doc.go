// Package zone makes the zones of DNS of Cloud Map's records: what resolvers answer for namespaces that have names.
//
// An Index is fed with changes of single records and answers which zones and values changed.
//
// Guarantees:
//
//   - It is pure: no I/O, no clock. Records are never changed.
//   - The same records give the same zones, whatever the order and the number of steps they came in.
//   - The change that Apply answers holds what changed and nothing else.
//   - Namespace, service, instance and health may come and go in any order; an instance is named while the first three are there.
//   - A private namespace is answered in its VPC, a public one everywhere.
//
// What a change costs: an instance and its health cost their own values, a service those of its instances, a namespace those of its services.
package zone
