// Command coredns is CoreDNS with its file plugin alone, from its own module, so that the product's has none of what it needs.
package main

import (
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind" // registers itself
	_ "github.com/coredns/coredns/plugin/file" // registers itself
)

func main() { coremain.Run() }
