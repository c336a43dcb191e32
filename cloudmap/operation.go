package cloudmap

import (
	"strconv"
	"strings"
	"time"
)

// Operation is something that a client asked for, and that the loop of operations does. Only the API writes it, once.
type Operation struct {
	Home
	ID               string // its second part says when it was asked for
	Type             string
	Namespace        string `json:",omitempty"` // ID of the target; at most one of the two
	Service          string `json:",omitempty"`
	Instance         string `json:",omitempty"` // ID within Service
	CreatorRequestID string `json:",omitempty"`
	Request          string `json:",omitempty"` // the API's operation
	CreatedAt        time.Time
	Wish             Wish
}

// Wish is what an operation is to do. One member at most is set, by the operation's type.
type Wish struct {
	Create   *Namespace        `json:",omitempty"` // the namespace as it will be
	Tags     []Pair            `json:",omitempty"` // of Create
	Update   *NamespaceChange  `json:",omitempty"`
	Service  *ServiceChange    `json:",omitempty"`
	Register map[string]string `json:",omitempty"` // the instance's attributes
}

// NamespaceChange is what an UPDATE_NAMESPACE changes; nil stays as it is.
type NamespaceChange struct {
	Description *string `json:",omitempty"`
	SOATTL      *int64  `json:",omitempty"`
}

// ServiceChange is what an UPDATE_SERVICE changes.
type ServiceChange struct {
	Description *string  `json:",omitempty"` // nil stays as it is
	Records     []Record `json:",omitempty"` // instead of the service's; of the same types, or fewer
	Check       *Check   `json:",omitempty"` // instead of the service's
}

// OperationStatus is how far an operation is. Only the loop of operations writes it; before it does, the operation is SUBMITTED.
type OperationStatus struct {
	Home
	Operation    string // ID
	Status       string
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
	At           time.Time
}

// Busy says which operation goes on about a target: there is one at a time.
type Busy struct {
	Home
	Target    string // Operation.Target
	Operation string // ID
}

// Token is the CreatorRequestId of a request that was served, kept as long as what it made: an operation or a service.
type Token struct {
	Home
	Request string // the API's operation
	Token   string
	Hash    string // of the request
	ID      string // of the operation or service that it made
	At      time.Time
}

// OperationID makes an id of 32 hex digits and a time.
func OperationID(hex string, at time.Time) string {
	return digits(hex+hex, 32) + "-" + strconv.FormatInt(at.UnixMilli(), 36)
}

// OperationOrder is an operation's id such that later operations are behind earlier ones; ok is false for what is no id.
func OperationOrder(id string) (order string, ok bool) {
	random, at, ok := strings.Cut(id, "-")
	if !ok || random == "" || at == "" || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz-") != "" {
		return "", false
	}
	return at + "-" + random, true
}

// Target names what an operation is about, for Busy.
func (o *Operation) Target() string {
	switch {
	case o.Instance != "":
		return o.Service + "%" + KeyPart(o.Instance)
	case o.Service != "":
		return o.Service
	}
	return o.Namespace
}

// KeyPart is an instance's id as a part of a key: "/" is written "%", which no id has.
func KeyPart(instance string) string { return strings.ReplaceAll(instance, "/", "%") }

// Done says whether a status is one of an operation that has ended.
func Done(status string) bool { return status == "SUCCESS" || status == "FAIL" }
