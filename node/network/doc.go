// Package network gives tasks of the modes bridge and none their network namespaces, addresses and published ports.
//
// What is guaranteed:
//
//   - The kernel is the only record. An endpoint is a namespace mounted below the run directory, a link whose alias
//     carries the endpoint's id and address, and set elements whose comments carry the id. A process that starts anew
//     reads these back; no packet is lost by that, and nothing needs to be written down a second time.
//   - The namespace mount is the commit point of Attach: a process that dies before it leaves at most set elements, and
//     the next Open or Sweep removes them. Namespaces made ahead are held by descriptors only and die with the process.
//   - Publishing a port adds one element to one map. No rule, no chain and no look-up grows with the number of endpoints.
//   - A container cannot send with an address or a link address that is not its own, cannot reach the host's loopback,
//     and is reached from outside only through what it publishes.
//   - Everything is named after the installation, so installations live side by side on one machine. Two of them share
//     one thing: the host's own route to the metadata address belongs to the one that started first.
//
// Destroy leaves nothing behind but net.ipv4.ip_forward=1, because another program may have come to rely on it.
//
// This is the only package that imports netlink and nftables.
package network
