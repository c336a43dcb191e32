package rules

// Settings are those of a namespace that forwards between links it answers ARP on. Each link has one machine behind it, whose frames
// are checked where they come in, so that the kernel's own source check has nothing to add. A packet in the middle of a connection that
// nobody knows does not make it known: a connection that was cut stays cut.
var Settings = [][2]string{
	{"ipv4/ip_forward", "1"},
	{"ipv4/ip_early_demux", "0"}, // nearly nothing that arrives is for a socket here
	{"ipv4/conf/all/rp_filter", "0"}, {"ipv4/conf/default/rp_filter", "0"},
	{"ipv4/conf/all/send_redirects", "0"}, {"ipv4/conf/default/send_redirects", "0"},
	{"ipv4/conf/all/accept_redirects", "0"}, {"ipv4/conf/default/accept_redirects", "0"},
	{"ipv4/conf/default/proxy_arp", "1"},
	{"ipv6/conf/default/disable_ipv6", "1"},
	{"netfilter/nf_conntrack_tcp_loose", "0"},
	{"netfilter/nf_conntrack_tcp_be_liberal", "1"},
}
