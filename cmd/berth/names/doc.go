// Package names answers the names of a server's region to who is in no VPC: people at the machine, and their programs.
//
// Guarantees:
//
//   - All zones of all VPCs are answered and nothing else is: nobody else is asked, and what is in no zone is refused. Of zones with one name in
//     several VPCs the same one is answered as long as they are there.
//   - Answers follow the records as those of VPCs do, and go on while the store is away.
//   - An address that somebody else has is tried again every five seconds; nothing else waits for it.
package names
