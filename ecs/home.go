package ecs

// Home is the account and region a record belongs to. It is the first part of
// every key.
type Home struct {
	Account string
	Region  string
}

// Partition is the ARN partition of every resource.
const Partition = "aws"
