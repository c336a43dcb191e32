package elb

// What names are unique in.
const (
	NamesOfLoadBalancers = "loadbalancer"
	NamesOfGroups        = "targetgroup"
)

// PortsOf are the ports of a load balancer's listeners.
func PortsOf(loadBalancer string) string { return "ports:" + loadBalancer }

// PrioritiesOf are the priorities of a listener's rules.
func PrioritiesOf(listener string) string { return "priorities:" + listener }
