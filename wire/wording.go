package wire

import (
	"fmt"
	"strings"

	"github.com/berth-ecs/berth/wire/constraint"
	"github.com/berth-ecs/berth/wire/protocol"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// wording is how a service names the errors that every service has. Services that speak one protocol share most of it.
type wording struct {
	validation string                                            // a constraint of the model is broken
	operations map[string]string                                 // operations whose validation has another code
	broken     func(constraint.Violation) (code, message string) // optional: names the first broken constraint, instead of all of them under validation
	parameter  string                                            // a rule outside the model is broken
	malformed  string                                            // the input cannot be parsed
	unknown    string                                            // no such operation
	denied     string
	throttled  string
	internal   string
	hidden     string // what is said of an internal error
	signature  map[sigv4.Kind]string
	denyStatus int
	global     bool // signed for us-east-1 wherever the client is
}

const hiddenFailure = "The request processing has failed because of an unknown error, exception or failure."

var jsonWording = wording{
	validation: "ValidationException", parameter: "ValidationException", malformed: "SerializationException", unknown: "UnknownOperationException",
	denied: "AccessDeniedException", throttled: "ThrottlingException", internal: "InternalFailure", hidden: hiddenFailure, denyStatus: 400,
	signature: map[sigv4.Kind]string{
		sigv4.Missing: "MissingAuthenticationTokenException", sigv4.Incomplete: "IncompleteSignatureException",
		sigv4.Unrecognized: "UnrecognizedClientException", sigv4.Expired: "ExpiredTokenException", sigv4.Mismatch: "InvalidSignatureException",
		sigv4.Skewed: "InvalidSignatureException", sigv4.Unsupported: "InvalidSignatureException",
	},
}

var queryWording = wording{
	validation: "ValidationError", parameter: "ValidationError", malformed: "MalformedInput", unknown: "InvalidAction",
	denied: "AccessDenied", throttled: "Throttling", internal: "InternalFailure", hidden: hiddenFailure, denyStatus: 403,
	signature: map[sigv4.Kind]string{
		sigv4.Missing: "MissingAuthenticationToken", sigv4.Incomplete: "IncompleteSignature", sigv4.Unrecognized: "InvalidClientTokenId",
		sigv4.Expired: "ExpiredToken", sigv4.Mismatch: "SignatureDoesNotMatch", sigv4.Skewed: "SignatureDoesNotMatch",
		sigv4.Unsupported: "SignatureDoesNotMatch",
	},
}

var ec2Signature = map[sigv4.Kind]string{
	sigv4.Missing: "MissingAuthenticationToken", sigv4.Incomplete: "IncompleteSignature", sigv4.Unrecognized: "AuthFailure",
	sigv4.Expired: "RequestExpired", sigv4.Mismatch: "AuthFailure", sigv4.Skewed: "RequestExpired", sigv4.Unsupported: "AuthFailure",
}

// wordingOf is a service's wording; s is nil when the service is not known.
func wordingOf(s *aws.Service, p protocol.Protocol) wording {
	w := jsonWording
	switch p.Name() {
	case "query", "ec2", "rest-xml":
		w = queryWording
	}
	if s == nil {
		return w
	}
	switch s.Package {
	case "ecs":
		// ECS's exceptions have no ValidationException; what it finds wrong with a task definition it calls a ClientException.
		w.validation, w.parameter = "InvalidParameterException", "InvalidParameterException"
		w.operations = map[string]string{"RegisterTaskDefinition": "ClientException"}
		w.internal, w.hidden = "ServerException", "Service Unavailable. Please try again later."
	case "ecr":
		w.validation, w.parameter, w.internal = "InvalidParameterException", "InvalidParameterException", "ServerException"
	case "servicediscovery":
		w.validation, w.parameter, w.throttled = "InvalidInput", "InvalidInput", "RequestLimitExceeded"
	case "ec2":
		w.validation, w.parameter, w.malformed = "InvalidParameterValue", "InvalidParameterValue", "InvalidParameterValue"
		w.denied, w.throttled, w.internal = "UnauthorizedOperation", "RequestLimitExceeded", "InternalError"
		w.hidden = "An internal error has occurred"
		w.signature, w.broken = ec2Signature, ec2Broken
	case "route53":
		w.validation, w.parameter, w.malformed, w.global = "InvalidInput", "InvalidInput", "InvalidInput", true
	case "sts", "iam":
		w.global = true
	}
	return w
}

// ec2Broken is how EC2 speaks of a broken constraint: of the first one, and of a member that is missing under a code of its own.
func ec2Broken(v constraint.Violation) (code, message string) {
	name := strings.ReplaceAll(v.Path, ".member", "")
	if v.Missing() {
		return "MissingParameter", "The request must contain the parameter " + name
	}
	value := "Value"
	if v.Shown {
		value += " (" + strings.Trim(v.Value, "'") + ")"
	}
	return "InvalidParameterValue", fmt.Sprintf("%s for parameter %s is invalid. %s.", value, name, v.Rule)
}

func (w wording) validationCode(operation string) string {
	if code, ok := w.operations[operation]; ok {
		return code
	}
	return w.validation
}
