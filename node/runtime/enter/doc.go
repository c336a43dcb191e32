// Package enter runs commands in containers without asking containerd: by a small helper (src/enter.c, installed as berth-enter)
// that enters a container's namespaces and takes on its rights.
//
// What is guaranteed:
//
//   - A command has the rights of the container's first process, or does not run: ErrUnable says that another way is needed.
//   - What runs too long, or is not waited for any more, is killed with everything it started.
//   - One helper serves a node. It ends with this process, and is started again when it died or does not move any more:
//     nobody waits for it longer than a command may take, and a little.
package enter
