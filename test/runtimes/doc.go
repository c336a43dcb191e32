// Package runtimes asks tasks on runc and in a gVisor sandbox the same questions: what a container gets of what its definition says, and
// what containers of a task share.
//
// What is guaranteed: where the answers differ, docs/fargate-sandbox.md says so, with both; and it says of nothing that it differs
// when it does not.
package runtimes
