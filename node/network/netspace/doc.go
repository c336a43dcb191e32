// Package netspace makes network namespaces, mounts them where they outlive a process, and runs code in them.
//
// Guarantees:
//
//   - A thread that could not be brought home from a namespace is never given back to other goroutines.
//   - A namespace that was not mounted ends with its descriptor: what dies half done leaves none.
package netspace
