package ecs

import (
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// TaskDefinition is a registered revision. Document is what DescribeTaskDefinition
// answers, defaults filled in.
type TaskDefinition struct {
	Home
	Family   string
	Revision int32
	Document shape.TaskDefinition
	Tags     []shape.Tag
}

// ARN names the revision.
func (d *TaskDefinition) ARN() string { return d.TaskDefinitionARN(d.Family, d.Revision) }

// Family remembers which revisions a family has had, so that a number is never
// used again.
type Family struct {
	Home
	Name   string
	Last   int32 // the newest revision ever registered
	Active int32 // the newest ACTIVE revision, 0 when there is none
}

// Token remembers a request that carried a client token, for 24 h.
type Token struct {
	Home
	Operation string
	Token     string
	Request   string   // hash of the request
	Resources []string // ARNs it made
	At        time.Time
}
