// Package protocol reads inputs from requests and writes outputs and errors to answers, one file per AWS protocol.
//
// Guarantees:
//   - A body is bounded in depth and number of elements before it is parsed.
//   - Types are strict: a value of another type than the model's is a DecodeError that names the place. Members the model does not know
//     are ignored; absent and empty stay apart.
//   - An answer is complete in memory before a byte of it is sent.
//
// Nothing here knows of signatures, handlers or limits per account. The package is pure.
package protocol

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Protocol is one way of AWS to put operations on HTTP. A new one is a file with these five methods and a line in All.
type Protocol interface {
	// Name is the protocol's name in AWS's models.
	Name() string
	// Route finds the operation of service s that r asks for; ok is false when r asks something else of someone else.
	Route(s *aws.Service, r Request) (operation string, ok bool)
	// Decode reads r's input into in, a pointer to the operation's input. It returns a *DecodeError for what the client did wrong.
	Decode(op Op, r Request, in any) error
	// Encode writes out, a pointer to the operation's output.
	Encode(op Op, r Request, out any) (Answer, error)
	// Fail writes an error; s is nil when the service is not known.
	Fail(s *aws.Service, r Request, f Failure) Answer
}

// All is every protocol that is served, in the order in which they are tried.
func All(b Bounds) []Protocol {
	return []Protocol{JSON{Bounds: b}, Query{Bounds: b}, EC2{Bounds: b}, RestXML{}}
}

// Guess is the protocol a client speaks whose request could not be routed, so that it can read the error.
func Guess(all []Protocol, r Request) Protocol {
	want := "json"
	if r.HTTP.Header.Get(headerTarget) == "" && (isForm(r.HTTP) || r.HTTP.URL.Query().Has("Action")) {
		want = "query"
	}
	i := slices.IndexFunc(all, func(p Protocol) bool { return p.Name() == want })
	return all[max(i, 0)]
}

// Speaks tells whether a service answers in a protocol.
func Speaks(s *aws.Service, p Protocol) bool { return slices.Contains(s.Protocols, p.Name()) }

// Request is a request whose body has been read.
type Request struct {
	HTTP *http.Request
	Body []byte
	ID   string // the request id
}

// Op is an operation of a service.
type Op struct {
	Service *aws.Service
	Info    *aws.OperationInfo
}

// Answer is what is sent.
type Answer struct {
	Status      int
	ContentType string
	Header      map[string]string // optional
	Body        []byte
}

// Failure is an error on its way out.
type Failure struct {
	Code    string
	Message string
	Members map[string]any
	Status  int
}

// DecodeError is input that is not what the model says.
type DecodeError struct {
	Path   string // the member's; empty for the input as a whole
	Reason string
}

// Error implements error.
func (e *DecodeError) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return fmt.Sprintf("%s at '%s'", e.Reason, e.Path)
}

const headerTarget = "X-Amz-Target"

func isForm(r *http.Request) bool {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
}
