package elbapi

// Quotas. AWS's defaults, where they are lower, are behind each.
const (
	maxBalancers    = 500 // load balancers of a type of an account in a region; 50
	maxListeners    = 100 // of a load balancer; 50
	maxRules        = 200 // of a load balancer, but for the default ones; 100
	maxCertificates = 100 // of a listener, but for the default one; 25
	maxUnique       = 100 // target groups of a load balancer; 100
	maxPriorities   = 80  // in one SetRulePriorities; a transaction writes 100 keys
	maxOrphans      = 40  // rules or certificates that go in one transaction
)

// What is counted is guarded under these names.
const countBalancers = "loadbalancers"
