package vpcapi

// Quotas. AWS's defaults, where they are lower, are behind each.
const (
	maxVPCs         = 250  // of an account in a region; 5
	maxBlocks       = 10   // IPv4 ranges of a VPC; 5
	maxBlocks6      = 5    // IPv6 ranges of a VPC; 5
	maxSubnets      = 500  // of a VPC; 200
	maxRouteTables  = 500  // of a VPC; 200
	maxRoutes       = 500  // of a table; 500
	maxACLs         = 200  // of a VPC; 200
	maxACLEntries   = 40   // of an ACL in a direction; 20
	maxGateways     = 250  // internet gateways of an account in a region; 5
	maxNATs         = 50   // NAT gateways of an account in a zone; 5
	maxElastics     = 500  // Elastic addresses of an account in a region; 5
	maxGroups       = 5000 // security groups of an account in a region; 2500
	maxDHCPOptions  = 500  // of an account in a region; 500
	maxTaggedAtOnce = 90   // resources in one CreateTags; 1000 on AWS, but a transaction writes 100 keys
)
