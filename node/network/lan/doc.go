// Package lan makes machines of one: each is a network namespace with a link to a bridge, which is in a namespace too, so that no firewall of the machine
// between them has a say.
//
// Guarantees:
//
//   - Whatever was left half made, the next call makes whole: every step looks at what is there.
//   - Namespaces are mounted in /run/netns, as ip netns does, and appear there only when they can be used.
//   - A link is what its port was told last: whole, cut, or slow and lossy through a relay, which ends with its process. What then is left is cut until the
//     port is plugged again.
//   - Remove leaves nothing whose name begins as it was told.
package lan
