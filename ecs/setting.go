package ecs

// AccountSetting is a value that a principal chose for itself, or the root for everybody who chose none.
type AccountSetting struct {
	Home
	Principal string // ARN of the root, a user or a role
	Name      string
	Value     string
}

// DefaultLogMode is the delivery mode of log drivers when nobody chose one.
const DefaultLogMode = "non-blocking"

// Root is the ARN of the account's root user.
func (h Home) Root() string { return "arn:" + Partition + ":iam::" + h.Account + ":root" }
