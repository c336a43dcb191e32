package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berth-ecs/berth/wire/constraint"
	"github.com/berth-ecs/berth/wire/protocol"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// request is one request on its way through the edge; each step adds what it learned.
type request struct {
	protocol.Request
	edge      *Edge
	start     time.Time
	protocol  protocol.Protocol
	service   *aws.Service // nil until it is known
	operation string
	info      *aws.OperationInfo // nil until the operation is known to the model
	call      Call
	input     any // decoded, for the log
}

// serve takes the steps in their order: bound and read, find out what is asked, prove who asks, find the handler, parse, check, authorise, wait
// for a place, run.
func (q *request) serve(ctx context.Context, w http.ResponseWriter) (protocol.Answer, error) {
	if err := q.identify(w); err != nil {
		return protocol.Answer{}, err
	}
	b, err := q.binding()
	if err != nil {
		return protocol.Answer{}, err
	}
	class := classOf(b.service, b.info)
	if !q.edge.buckets.Take(q.edge.Now(), q.call.Account, class) {
		q.edge.metrics.throttled.WithLabelValues(classNames[class]).Inc()
		return protocol.Answer{}, &throttled{class}
	}
	op := protocol.Op{Service: b.service, Info: b.info}
	if err := q.decode(op, b); err != nil {
		return protocol.Answer{}, err
	}
	if err := q.authorize(ctx, b); err != nil {
		return protocol.Answer{}, err
	}
	leave, err := q.edge.gate.Enter(ctx, class)
	if err != nil {
		return protocol.Answer{}, fmt.Errorf("%w: %w", errOverloaded, err)
	}
	defer leave()
	out, err := q.run(ctx, b)
	if err != nil {
		return protocol.Answer{}, err
	}
	return q.protocol.Encode(op, q.Request, out)
}

// identify reads the body, routes and verifies.
func (q *request) identify(w http.ResponseWriter) error {
	if err := q.read(w); err != nil {
		return err
	}
	sig, err := sigv4.Parse(q.HTTP)
	q.route(sig)
	if err != nil {
		if q.unsignedAllowed(err) {
			q.call.Region = q.edge.Regions[0]
			return nil
		}
		return err
	}
	return q.authenticate(sig)
}

// smallBody is what anyone may send without a place: nearly every input is smaller.
const smallBody = 64 << 10

// read takes in the body, in bounded time. Only so many large ones are read at once, so that senders who dawdle hold each other up and not
// those with an ordinary request.
func (q *request) read(w http.ResponseWriter) error {
	if enc := q.HTTP.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return &protocol.DecodeError{Reason: "Content-Encoding " + strconv.Quote(clip(enc)) + " is not supported; send the body as it is"}
	}
	limit := q.edge.Limits.Body
	if q.HTTP.ContentLength > limit {
		return &http.MaxBytesError{Limit: limit}
	}
	if q.HTTP.ContentLength < 0 || q.HTTP.ContentLength > smallBody {
		select {
		case q.edge.large <- struct{}{}:
			defer func() { <-q.edge.large }()
		default:
			return errOverloaded
		}
	}
	// A socket's deadline is about real time. It is lifted afterwards, or it would end the operation's context when it passes.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(q.edge.Limits.Arrival)) // not supported by recorders, which have no slow clients
	body, err := io.ReadAll(http.MaxBytesReader(w, q.HTTP.Body, limit))
	if err != nil {
		return &incomplete{err}
	}
	_ = conn.SetReadDeadline(time.Time{})
	q.Body = body
	return nil
}

// route finds service, protocol and operation. The service in the credential scope decides where several would fit.
func (q *request) route(sig *sigv4.Signature) {
	for _, s := range q.edge.Mux.services {
		signed := sig != nil && sig.Scope.Service == s.SigningName
		// Finding an action means searching the body: only where the answer can matter.
		if s.TargetPrefix == "" && !signed && (sig != nil || !open(s)) {
			continue
		}
		for _, p := range q.edge.protocols {
			if !protocol.Speaks(s, p) {
				continue
			}
			operation, ok := p.Route(s, q.Request)
			// A target names its service; an action fits any service, so only the scope can tell.
			if ok && (signed || q.service == nil && s.TargetPrefix != "" || sig == nil && q.service == nil && has(s, operation)) {
				q.service, q.protocol, q.operation = s, p, operation
			}
		}
		if signed && q.service == nil {
			q.service = s
			if !protocol.Speaks(s, q.protocol) {
				q.protocol = q.native(s)
			}
		}
	}
	if q.service == nil {
		return
	}
	q.call.Service, q.call.Operation = q.service.SigningName, q.operation
	q.info, _ = q.service.Operation(q.operation)
}

// open tells whether a service has operations that are called without a signature.
func open(s *aws.Service) bool {
	return slices.ContainsFunc(s.Operations, func(o aws.OperationInfo) bool { return o.NoAuth })
}

func has(s *aws.Service, operation string) bool {
	_, ok := s.Operation(operation)
	return ok
}

// native is the protocol a service's clients can read errors in.
func (q *request) native(s *aws.Service) protocol.Protocol {
	for _, p := range q.edge.protocols {
		if protocol.Speaks(s, p) {
			return p
		}
	}
	return q.protocol
}

// unsignedAllowed: AWS's model lets a few operations be called before one has keys.
func (q *request) unsignedAllowed(err error) bool {
	refused, ok := errors.AsType[*sigv4.Error](err)
	return ok && refused.Kind == sigv4.Missing && q.info != nil && q.info.NoAuth
}

func (q *request) authenticate(sig *sigv4.Signature) error {
	id, err := q.edge.verifier.Check(sig, q.HTTP, q.Body)
	if err != nil {
		return err
	}
	q.call.Account, q.call.Principal, q.call.UserID, q.call.AccessKey = id.Key.Account, id.Key.Principal, id.Key.UserID, id.AccessKey
	q.call.Region, q.call.Machine = id.Scope.Region, id.Key.Machine
	if q.service == nil {
		return nil
	}
	if id.Scope.Service != q.service.SigningName {
		return sigv4.RefuseService(q.service.SigningName)
	}
	if q.edge.known(id.Scope.Region) {
		return nil
	}
	if wordingOf(q.service, q.protocol).global && id.Scope.Region == "us-east-1" {
		q.call.Region = q.edge.Regions[0]
		return nil
	}
	return sigv4.RefuseRegion(id.Scope.Region)
}

// binding finds the handler; what is missing is named.
func (q *request) binding() (*binding, error) {
	switch {
	case q.service == nil:
		var names []string
		for _, s := range q.edge.Mux.services {
			names = append(names, s.SigningName)
		}
		return nil, &unserved{fmt.Sprintf("The request names no service that is served here. Served: %s.", strings.Join(names, ", "))}
	case q.operation == "":
		return nil, &unserved{fmt.Sprintf("The request names no operation of %s.", q.service.SigningName)}
	case q.info == nil:
		return nil, &unserved{fmt.Sprintf("%s has no operation %q.", q.service.SigningName, clip(q.operation))}
	}
	b, ok := q.edge.Mux.lookup(q.service, q.operation)
	if !ok {
		return nil, &unserved{fmt.Sprintf("The operation %s:%s is not implemented.", q.service.SigningName, q.operation)}
	}
	return b, nil
}

func clip(s string) string { return s[:min(len(s), 100)] }

func (q *request) decode(op protocol.Op, b *binding) error {
	in := b.newInput()
	if err := q.protocol.Decode(op, q.Request, in); err != nil {
		return err
	}
	q.input = in
	if found := constraint.Check(b.service, b.info.Input, in); found != nil {
		return broken(found)
	}
	return nil
}

func (q *request) authorize(ctx context.Context, b *binding) error {
	action := q.service.SigningName + ":" + q.operation
	for _, resource := range b.resources(q.call, q.input) {
		if err := q.edge.Authorizer.Allow(ctx, q.call, action, resource); err != nil {
			return err
		}
	}
	return nil
}

// run calls the handler; a panic costs this request only.
func (q *request) run(ctx context.Context, b *binding) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return b.invoke(ctx, q.call, q.input)
}

func (q *request) send(w http.ResponseWriter, a protocol.Answer) {
	h := w.Header()
	for k, v := range a.Header {
		h.Set(k, v)
	}
	h.Set("Content-Type", a.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	h.Set("X-Amzn-Requestid", q.ID)
	if a.Status == http.StatusRequestTimeout || a.Status == http.StatusRequestEntityTooLarge {
		h.Set("Connection", "close") // the rest of the body may still come
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the client is gone: nobody is left to tell
}
