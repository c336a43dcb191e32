package lower

// Held is how much an index has.
func (x *Index) Held() int {
	return len(x.balancers) + len(x.groups) + len(x.attributes) + len(x.machines) + len(x.users) + len(x.atMachine) + len(x.atBalancer) + len(x.poolsOf) + len(x.secrets)
}
