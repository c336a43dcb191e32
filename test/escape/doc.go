// Package escape is the escape suite: what somebody tries who is root in a task of FARGATE and wants to get at the machine or at other tasks
// ([./attempt] does it), on runc and in gVisor's sandbox.
//
// What is guaranteed:
//
//   - Each attempt is made in real tasks of a real region, and is blocked there.
//   - Each is proven able to succeed: in a container made from the real one's specification with exactly the protections taken away
//     that its row names, it succeeds.
//   - Where a row names several, each of them is enough: with all others taken away the attempt is still blocked.
//   - docs/fargate-isolation.md is what the rows say.
package escape
