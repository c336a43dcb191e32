// Package ready knows whether a process is ready to serve, and why not yet.
//
// Guarantees:
//
//   - A process is ready when every part that was announced has said it is done; before the first is announced it is not.
//   - Health answers 200 as long as the process can answer at all; Ready answers 200 when ready, else 503 with the parts
//     that are still waited for, as JSON.
//   - A State may be used by any number of goroutines.
package ready
