package metadata

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// ProtectionSource is a Source that can ask about and change a task's protection, which the server keeps.
type ProtectionSource interface {
	Source
	Protection(ctx context.Context, t Task) (ProtectionAnswer, error)
	Protect(ctx context.Context, t Task, p ProtectionWish) (ProtectionAnswer, error)
}

// ProtectionWish is what a container asks for.
type ProtectionWish struct {
	ProtectionEnabled *bool
	ExpiresInMinutes  *int64
}

// ProtectionAnswer is the server's: one of its members is set.
type ProtectionAnswer struct {
	RequestID  string             `json:"requestID,omitzero"`
	Protection *Protection        `json:"protection,omitzero"`
	Failure    *ProtectionFailure `json:"failure,omitzero"`
	Error      *ProtectionError   `json:"error,omitzero"`
}

// Protection is a task's protection from scale-in.
type Protection struct {
	ExpirationDate    *time.Time
	ProtectionEnabled bool
	TaskArn           string
}

// ProtectionFailure says why there is none: TASK_NOT_VALID, ...
type ProtectionFailure struct {
	Arn    string
	Detail *string
	Reason string
}

// ProtectionError is AWS's error, or the endpoint's own.
type ProtectionError struct {
	Arn     string `json:",omitzero"`
	Code    string
	Message string
}

const (
	protectionTimeout = 4 * time.Second // the agent's
	protectionBody    = 64 << 10
)

func (h *handler) getProtection(w http.ResponseWriter, r *http.Request) {
	t, ok := h.protectedTask(w, r)
	if !ok {
		return
	}
	h.protection(w, r, t, func(ctx context.Context, s ProtectionSource) (ProtectionAnswer, error) { return s.Protection(ctx, t) })
}

func (h *handler) putProtection(w http.ResponseWriter, r *http.Request) {
	var wish ProtectionWish
	d := json.NewDecoder(io.LimitReader(r.Body, protectionBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&wish); err != nil {
		h.protectionError(w, r, http.StatusBadRequest, ProtectionError{
			Code: "InvalidParameterException", Message: "UpdateTaskProtection: failed to decode request",
		})
		return
	}
	t, ok := h.protectedTask(w, r)
	if !ok {
		return
	}
	if wish.ProtectionEnabled == nil {
		h.protectionError(w, r, http.StatusBadRequest, ProtectionError{
			t.TaskARN, "InvalidParameterException", "Invalid request: does not contain 'ProtectionEnabled' field",
		})
		return
	}
	h.protection(w, r, t, func(ctx context.Context, s ProtectionSource) (ProtectionAnswer, error) {
		return s.Protect(ctx, t, wish)
	})
}

// protectedTask finds the caller's task, or answers that there is none.
func (h *handler) protectedTask(w http.ResponseWriter, r *http.Request) (Task, bool) {
	t, _, ok := h.source.Lookup(r.PathValue("id"))
	if !ok || !h.entitled(r, t) {
		h.protectionError(w, r, http.StatusNotFound, ProtectionError{
			Code: "ResourceNotFoundException", Message: "Failed to find a task for the request",
		})
		return Task{}, false
	}
	return t, true
}

// protection asks the server and answers what it says.
func (h *handler) protection(w http.ResponseWriter, r *http.Request, t Task, ask func(context.Context, ProtectionSource) (ProtectionAnswer, error)) {
	s, ok := h.source.(ProtectionSource)
	if !ok {
		h.protectionError(w, r, http.StatusForbidden, ProtectionError{
			t.TaskARN, "AccessDeniedException", "Invalid Request: no task IAM role credentials available for task",
		})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), protectionTimeout)
	defer cancel()
	out, err := ask(ctx, s)
	if err != nil {
		status, e := protectionFault(ctx, t, err)
		h.log.Warn("task protection", "task", t.TaskARN, "error", err)
		h.protectionError(w, r, status, e)
		return
	}
	h.answer(w, r, http.StatusOK, out)
}

// protectionFault is an error of the call in the agent's form: AWS's own code and message where it answered.
func protectionFault(ctx context.Context, t Task, err error) (int, ProtectionError) {
	e := (*aws.Error)(nil)
	switch {
	case errors.As(err, &e) && e.Code == "ServerException":
		return http.StatusInternalServerError, ProtectionError{t.TaskARN, e.Code, e.Message}
	case errors.As(err, &e):
		return http.StatusBadRequest, ProtectionError{t.TaskARN, e.Code, e.Message}
	case ctx.Err() != nil:
		return http.StatusGatewayTimeout, ProtectionError{t.TaskARN, "RequestCanceled", "Timed out calling ECS Task Protection API"}
	}
	// What only the node should know stays in its log.
	return http.StatusInternalServerError, ProtectionError{t.TaskARN, "ServerException", "the server cannot be asked now"}
}

func (h *handler) protectionError(w http.ResponseWriter, r *http.Request, status int, e ProtectionError) {
	h.answer(w, r, status, ProtectionAnswer{Error: &e})
}
