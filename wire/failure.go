package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/berth-ecs/berth/wire/constraint"
	"github.com/berth-ecs/berth/wire/fair"
	"github.com/berth-ecs/berth/wire/protocol"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// broken is input that breaks the model's constraints.
type broken []constraint.Violation

func (b broken) Error() string { return constraint.Message(b) }

// unserved is a request for something that does not exist here.
type unserved struct{ what string }

func (u *unserved) Error() string { return u.what }

// incomplete is a body that did not arrive, or not in time.
type incomplete struct{ err error }

func (i *incomplete) Error() string { return i.err.Error() }
func (i *incomplete) Unwrap() error { return i.err }

// throttled is a request that came too soon.
type throttled struct{ class int }

func (t *throttled) Error() string { return "Rate exceeded" }

// failure is the one place where errors become answers. internal says that err's text was hidden and must be logged.
func (q *request) failure(err error) (f protocol.Failure, internal bool) {
	w := wordingOf(q.service, q.protocol)
	var (
		own       *aws.Error
		bad       *Invalid
		wrong     broken
		decode    *protocol.DecodeError
		signature *sigv4.Error
		none      *unserved
		tooSoon   *throttled
		tooLarge  *http.MaxBytesError
		cut       *incomplete
	)
	switch {
	case errors.As(err, &own):
		return protocol.Failure{Code: w.common(own.Code), Message: own.Message, Members: own.Members, Status: q.status(own.Code, w)}, false
	case errors.As(err, &bad):
		return protocol.Failure{Code: w.parameter, Message: bad.Error(), Status: 400}, false
	case errors.As(err, &wrong):
		if w.broken != nil {
			code, message := w.broken(wrong[0])
			return protocol.Failure{Code: code, Message: message, Status: 400}, false
		}
		return protocol.Failure{Code: w.validationCode(q.operation), Message: wrong.Error(), Status: 400}, false
	case errors.As(err, &decode):
		return protocol.Failure{Code: w.malformed, Message: decode.Error(), Status: 400}, false
	case errors.As(err, &signature):
		return protocol.Failure{Code: w.signature[signature.Kind], Message: signature.Message, Status: w.signatureStatus(signature.Kind)}, false
	case errors.As(err, &none):
		return protocol.Failure{Code: w.unknown, Message: none.what, Status: 400}, false
	case errors.As(err, &tooSoon):
		return protocol.Failure{Code: w.throttled, Message: tooSoon.Error(), Status: 400}, false
	case errors.As(err, &tooLarge):
		return protocol.Failure{Code: "RequestEntityTooLarge", Message: fmt.Sprintf("The body is larger than %d bytes.", tooLarge.Limit), Status: 413}, false
	case errors.As(err, &cut):
		return protocol.Failure{Code: "RequestTimeout", Message: "The body did not arrive as a whole or in time.", Status: 408}, false
	case errors.Is(err, errOverloaded), errors.Is(err, context.Canceled), errors.Is(err, fair.ErrBusy):
		return protocol.Failure{Code: "ServiceUnavailable", Message: "The service is busy. Please try again later.", Status: 503}, false
	}
	return protocol.Failure{Code: w.internal, Message: w.hidden, Status: 500}, true
}

// common puts the codes every service has into the protocol's spelling, so that one Authorizer serves all.
func (w wording) common(code string) string {
	if code == "AccessDeniedException" {
		return w.denied
	}
	return code
}

// status is the HTTP status of a service's error.
func (q *request) status(code string, w wording) int {
	if code == "AccessDeniedException" {
		return w.denyStatus
	}
	if q.service != nil {
		if e, ok := q.service.Error(code); ok {
			return e.Status()
		}
	}
	if code == w.internal {
		return 500
	}
	return 400
}

func (w wording) signatureStatus(k sigv4.Kind) int {
	if k == sigv4.Incomplete {
		return 400
	}
	return w.denyStatus
}
