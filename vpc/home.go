package vpc

import "fmt"

// Home is the account and region a record belongs to. It is the first part of every key.
type Home struct {
	Account string
	Region  string
}

// ARN names a resource of EC2: "vpc" and its id, for example.
func (h Home) ARN(kind, id string) string {
	return fmt.Sprintf("arn:aws:ec2:%s:%s:%s/%s", h.Region, h.Account, kind, id)
}

// ID makes an identifier of a kind, as "subnet-0123456789abcdef0", of at least 17 hex digits.
func ID(kind, hex string) string { return kind + "-" + hex[:17] }

// Pair is a tag of a resource.
type Pair struct{ Key, Value string }

// Tags are the tags of one resource, whatever its kind. Only the API writes them; they go with the resource.
type Tags struct {
	Home
	Resource string // its id; the part before the dash tells its kind
	Pairs    []Pair // in order of Key
}
