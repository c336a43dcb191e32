package inventory

import (
	"os"
	"strconv"
	"strings"
)

// takePorts lists what the given sockets (by inode) listen on in the namespace of whoever asks: a machine may be one.
func (v *Inventory) takePorts(owners map[string]string) {
	for _, proto := range []string{"tcp", "tcp6", "udp", "udp6"} {
		b, err := os.ReadFile("/proc/thread-self/net/" + proto)
		if err != nil {
			continue // this kernel has no IPv6
		}
		for line := range strings.Lines(string(b)) {
			port, inode, ok := parseSocket(proto, line)
			if holder := owners[inode]; ok && holder != "" {
				v.add(Port, proto+" "+strconv.Itoa(port), "", holder)
			}
		}
	}
}

// parseSocket reads a line of /proc/net/{tcp,udp}; ok when somebody listens: state LISTEN, or an unconnected UDP socket.
func parseSocket(proto, line string) (port int, inode string, ok bool) {
	const listen, unconnected = "0A", "07"
	f := strings.Fields(line)
	if len(f) < 10 {
		return 0, "", false
	}
	want := listen
	if strings.HasPrefix(proto, "udp") {
		want = unconnected
	}
	_, hex, found := strings.Cut(f[1], ":")
	n, err := strconv.ParseUint(hex, 16, 16)
	return int(n), f[9], found && err == nil && f[3] == want
}
