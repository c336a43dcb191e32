package metadata

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
)

// Association is a device or service that a task was given, such as a GPU.
type Association struct {
	Type       string
	Name       string
	Containers []string // their names
	Value      string   // JSON, as the server gave it
}

// refusal is an error whose text is the caller's answer.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// askAssociations answers the names of the container's associations of a type.
func askAssociations(_ context.Context, q question) (any, error) {
	names := []string{}
	for _, a := range q.task.Associations {
		if a.Type == q.request.PathValue("type") && slices.Contains(a.Containers, q.container.Name) {
			names = append(names, a.Name)
		}
	}
	return struct{ Associations []string }{names}, nil
}

// askAssociation answers the content of one association of the task.
func askAssociation(_ context.Context, q question) (any, error) {
	kind, name := q.request.PathValue("type"), q.request.PathValue("name")
	for _, a := range q.task.Associations {
		if a.Type == kind && a.Name == name && json.Valid([]byte(a.Value)) {
			return json.RawMessage(a.Value), nil
		}
	}
	return nil, &refusal{http.StatusBadRequest, "Unable to write container association response: " +
		"unable to get association from association type " + kind + " and association name " + name}
}
