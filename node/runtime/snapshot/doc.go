// Package snapshot reads what containerd's overlay snapshotter says: where the layers of a snapshot lie, and what is in the
// way of a new one.
//
// Guarantees: it asks nobody and changes nothing; a Cache answers no layer that is gone.
package snapshot
