// Package wire is the AWS edge: one http.Handler that answers every AWS service on one address.
//
// Guarantees:
//   - A handler runs only for a request whose signature was verified, whose input was bounded before it was parsed, satisfies the constraints
//     of AWS's model, and was allowed by the Authorizer. The one exception to the first is an operation that AWS's model calls without one.
//   - A client sees an error of the service, in the form of the protocol it speaks, with a request id. What is not an AWS error is answered
//     as an internal one: its text is logged and never sent.
//   - An operation that is not bound is answered by an error that names it.
//   - Sensitive members of inputs never reach a log.
//
// Services bind their operations with Handle on a Mux; NewEdge makes the handler, NewServer an http.Server that slow clients cannot hold.
// Package shape and its generated packages hold the types; protocol, constraint, redact and sigv4 below this one are the parts, each pure.
package wire

import (
	"context"
	"fmt"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Call is what the edge knows about a request besides its input.
type Call struct {
	Account    string // of the access key
	Region     string // of the credential scope; one of the configured
	Partition  string
	RequestID  string // answered as x-amzn-requestid
	AccessKey  string // empty for an operation that needs no signature
	Principal  string // ARN
	Machine    string // the node whose keys signed, which may do what is its own; empty for everybody else
	UserID     string // the unique id behind the principal; may be empty
	Service    string // as in ARNs and policies: "ecs"
	Operation  string
	RemoteAddr string
	SecureHost string // Host header of a request that came by TLS; else empty
}

// Handler serves one operation. An error that wraps *aws.Error is answered as it is, an *Invalid with the service's code for bad
// parameters, any other as an internal error.
type Handler[In, Out any] func(ctx context.Context, c Call, in *In) (*Out, error)

// Resources names the ARNs an operation acts on, for the Authorizer.
type Resources[In any] func(c Call, in *In) []string

// Authorizer decides. A nil error allows; an *aws.Error is answered as it is.
type Authorizer interface {
	Allow(ctx context.Context, c Call, action, resource string) error
}

// Invalid is a parameter that breaks a rule no model has. The edge answers it with the code its service uses for bad parameters.
type Invalid struct {
	Member string // as on the wire
	Rule   string // a sentence about the member
}

// Error implements error.
func (e *Invalid) Error() string { return fmt.Sprintf("%s: %s", e.Member, e.Rule) }

// Errorf makes an *aws.Error with a code of a service.
func Errorf(code, format string, args ...any) error {
	return &aws.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
