// Package storage gives tasks file systems of a size of their own: each an ext4 in a sparse file of the machine's disk, by a loop device.
//
// What is guaranteed:
//
//   - What is written there by all of a task's containers together ends at the size, with ENOSPC, and nobody else notices.
//   - It takes of the disk what is in use, not its size; what is deleted there goes back to the disk.
//   - Every verb is idempotent. Whoever is killed in one leaves nothing but a file that Tasks names: a loop device that nothing is mounted
//     from ends with who made it.
//   - Of a full one the containers can be started again.
//
// A new file system is a copy of the first of its size: what mkfs wrote, a third of a mebibyte.
package storage
