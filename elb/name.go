package elb

// What names are unique in.
const (
	NamesOfLoadBalancers = "loadbalancer"
	NamesOfGroups        = "targetgroup"
)
