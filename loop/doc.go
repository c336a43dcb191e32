// Package loop runs a control loop: it turns changes in the store into calls of Reconcile, one per key.
//
// Guarantees:
//
//   - Level-triggered: an event only marks a key dirty. Every key that was marked is reconciled after its last mark, with a snapshot that
//     holds what marked it.
//   - A key is reconciled by one worker at a time; different keys run side by side up to Workers.
//   - What failed is tried again with a delay that doubles per key, from Backoff.Min to Backoff.Max; success forgets the failures. A new
//     mark does not wait for the delay.
//   - Marks within Debounce of the first are one call. Nothing is polled: without marks, retries and requested times the loop sleeps until
//     the periodic resync, which exists for faults nobody thought of.
//   - Run returns only when ctx ends, the store closes or leadership is lost, and not before every worker has returned.
package loop
