package elb

// Keeping is an attribute that is kept and answered and does nothing.
type Keeping struct{ Of, Key, Why string }

// Kept are all of them, for the coverage page.
func Kept() []Keeping {
	const balancer, group, listener = "load balancer", "target group", "HTTPS listener"
	return []Keeping{
		{balancer, AttrWAFFailOpen, "there is no AWS WAF"},
		{balancer, AttrDenyIPv6, "load balancers have no IPv6 addresses"},
		{balancer, AttrClientRouting, "a name leads to the nodes of all zones"},
		{balancer, keySecondary, "a node has one address"},
		{group, AttrDNSCount, "a name leads to every node that serves, however few of its targets are healthy"},
		{group, AttrDNSPercentage, "as the one before"},
		{group, AttrUnhealthyDrains, "an unhealthy target gets no new connection at once, and those that it has stay when they are not ended"},
		{listener, keyMutual + "*" + keyMutualEnd, "clients are not asked for certificates"},
	}
}

const (
	keySecondary = "secondary_ips.auto_assigned.per_subnet"
	keyMutual    = "routing.http.request.x_amzn_mtls_"
	keyMutualEnd = ".header_name"
)
