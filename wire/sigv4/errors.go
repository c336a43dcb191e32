package sigv4

import "fmt"

// Kind is a class of refusals; every protocol has its own code for each.
type Kind int

// The kinds of refusals.
const (
	Missing      Kind = iota + 1 // no signature at all
	Incomplete                   // a part of the signature is missing or malformed
	Unrecognized                 // unknown access key, wrong session token
	Expired                      // the session token is past its end
	Mismatch                     // the signature is not what it should be
	Skewed                       // signed too long ago, or in the future
	Unsupported                  // a way of signing that is not served
)

// Error is a refusal. Its message is AWS's and may be sent to the client.
type Error struct {
	Kind    Kind
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

func refuse(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// RefuseService is the refusal of a credential scope that names another service than the one that is meant.
func RefuseService(service string) error {
	return refuse(Mismatch, "Credential should be scoped to correct service: '%s'.", service)
}

// RefuseRegion is the refusal of a credential scope that names a region that is not served.
func RefuseRegion(region string) error {
	return refuse(Mismatch, "Credential should be scoped to a valid region, not '%s'.", region)
}

// The messages clients have seen from AWS.
const (
	messageMismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	messageToken    = "The security token included in the request is invalid."
	messageExpired  = "The security token included in the request is expired"
	messageMissing  = "Request is missing Authentication Token"
)
