// Package conf is the node's end of the link to its servers: it follows the node's configuration, keeps it on the disk, and has the parts
// of the node become it.
//
// Guarantees:
//
//   - What the parts are told is whole and in order: a version is never mixed with another, and never older than one that they were told.
//   - A configuration is on the disk before the parts are told of it. A process that starts without servers has the one its predecessor had;
//     where the disk did not take it, it has none rather than an older one.
//   - While the parts are busy, changes are put together. What failed is tried again, with waits that grow, and at once when there is news.
//   - A change that does not follow what is here is not applied: the server is asked for the whole.
//   - A change costs what it changes, on the disk too.
//   - A VPC that the node has no part in any more stays with the parts for a while, without anything in it: the next task there need not wait.
package conf
