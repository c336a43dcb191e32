// Command look asks for names as Go's own resolver does: the addresses of a name in order, on one line; with -srv its SRV records, one to a line.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
)

func main() {
	r := &net.Resolver{PreferGo: true}
	if len(os.Args) == 3 && os.Args[1] == "-srv" {
		_, all, err := r.LookupSRV(context.Background(), "", "", os.Args[2])
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		var lines []string
		for _, s := range all {
			lines = append(lines, fmt.Sprintf("%d %d %d %s", s.Priority, s.Weight, s.Port, s.Target))
		}
		slices.Sort(lines)
		fmt.Println(strings.Join(lines, "\n"))
		return
	}
	addrs, err := r.LookupHost(context.Background(), os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	slices.Sort(addrs)
	fmt.Println(strings.Join(addrs, " "))
}
