// Package tour runs the tour of several machines in docs/operations.md, as it is written there.
package tour
