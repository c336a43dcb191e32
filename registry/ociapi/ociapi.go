// Package ociapi serves the OCI distribution protocol: what docker, containerd and crane push to and pull from.
//
// Guarantees:
//
//   - Every request carries a password of GetAuthorizationToken, and the Authorizer is asked for the ECR action that the
//     request amounts to, on the repository it names.
//   - A 201 is durable: what it acknowledges, with all it refers to, survives any crash.
//   - A connection that moves neither way for a minute is given up; one that moves has all the time it needs, and so has the
//     server's own work.
//   - Errors have the protocol's codes and ECR's sentences.
//
// Routes, codes and their status are those of github.com/distribution/distribution.
package ociapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/wire"
)

// Config is what the protocol needs.
type Config struct {
	Shelf      *shelf.Shelf     // required
	Authorizer wire.Authorizer  // required
	Now        func() time.Time // optional; clock.Now
	Log        *slog.Logger     // optional
}

// Handler serves everything below /v2/.
type Handler struct {
	shelf  *shelf.Shelf
	auth   wire.Authorizer
	now    func() time.Time
	log    *slog.Logger
	routes *mux.Router

	silence time.Duration
}

// New makes a handler.
func New(c Config) *Handler {
	h := &Handler{shelf: c.Shelf, auth: c.Authorizer, now: c.Now, log: c.Log, routes: v2.RouterWithPrefix(""), silence: silence}
	if h.now == nil {
		h.now = clock.Now
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	return h
}

// call is one request.
type call struct {
	*Handler
	w    http.ResponseWriter
	r    *http.Request
	conn mover
	vars map[string]string // of the route: name, reference, digest, uuid
	who  wire.Call
	home registry.Home
	repo *registry.Repository // of the route's name; nil when it has none
}

// verb serves a route with a method, as an ECR action.
type verb struct {
	action string
	serve  func(*call) error
}

// verbs are what is served, by route and method. Layers are not deleted by clients: they go when no image has them.
var verbs = map[string]map[string]verb{
	v2.RouteNameBase:    {http.MethodGet: {"GetAuthorizationToken", (*call).base}, http.MethodHead: {"GetAuthorizationToken", (*call).base}},
	v2.RouteNameCatalog: {http.MethodGet: {"DescribeRepositories", (*call).catalog}},
	v2.RouteNameTags:    {http.MethodGet: {"ListImages", (*call).tags}},
	v2.RouteNameManifest: {
		http.MethodGet: {"BatchGetImage", (*call).getManifest}, http.MethodHead: {"BatchGetImage", (*call).getManifest},
		http.MethodPut: {"PutImage", (*call).putManifest}, http.MethodDelete: {"BatchDeleteImage", (*call).deleteManifest},
	},
	v2.RouteNameBlob: {
		http.MethodGet: {"GetDownloadUrlForLayer", (*call).getBlob}, http.MethodHead: {"BatchCheckLayerAvailability", (*call).getBlob},
	},
	v2.RouteNameBlobUpload: {http.MethodPost: {"InitiateLayerUpload", (*call).beginUpload}},
	v2.RouteNameBlobUploadChunk: {
		http.MethodGet: {"UploadLayerPart", (*call).uploadStatus}, http.MethodPatch: {"UploadLayerPart", (*call).patchUpload},
		http.MethodPut: {"CompleteLayerUpload", (*call).putUpload}, http.MethodDelete: {"UploadLayerPart", (*call).cancelUpload},
	},
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	c := &call{Handler: h}
	c.w, c.r, c.conn = patient(w, r, h.silence)
	if err := c.serve(r.Context()); err != nil {
		c.fail(err)
	}
}

func (c *call) serve(ctx context.Context) error {
	var m mux.RouteMatch
	if !c.routes.Match(c.r, &m) || m.Route == nil {
		return errcode.ErrorCodeNameInvalid.WithMessage("no such path in this registry: " + c.r.URL.Path)
	}
	c.vars = m.Vars
	v, ok := verbs[m.Route.GetName()][c.r.Method]
	if !ok {
		return errcode.ErrorCodeUnsupported
	}
	if err := c.authenticate(ctx); err != nil {
		return err
	}
	c.who.Operation = v.action
	if err := c.find(ctx, v.action); err != nil {
		return err
	}
	return v.serve(c)
}

// find asks whether the caller may, and then for the repository.
func (c *call) find(ctx context.Context, action string) error {
	name, named := c.vars["name"]
	resource := "*"
	if named {
		resource = c.home.RepositoryARN(name)
	}
	if err := c.auth.Allow(ctx, c.who, "ecr:"+action, resource); err != nil {
		return denied(err)
	}
	if !named {
		return nil
	}
	if !registry.ValidName(name) {
		return errcode.ErrorCodeNameInvalid.WithMessage(fmt.Sprintf("invalid repository name '%s'", name))
	}
	var err error
	c.repo, err = c.shelf.Repository(ctx, c.home, name)
	return err
}

// fail answers an error.
func (c *call) fail(err error) {
	var known errcode.Error
	var plain errcode.ErrorCode
	switch {
	case errors.As(err, &known), errors.As(err, &plain):
		if known.Code == 0 {
			known = plain.WithMessage(plain.Message())
		}
	case c.r.Context().Err() != nil:
		return // nobody listens
	default:
		known = c.translate(err)
	}
	if known.Code == errcode.ErrorCodeUnauthorized {
		c.challenge()
	}
	c.log.Debug("registry request failed", "method", c.r.Method, "path", c.r.URL.Path, "code", known.Code.String(), "error", err)
	_ = errcode.ServeJSON(c.w, known) // who asked is gone, or has it
}

// base answers that the password is good.
func (c *call) base() error {
	c.w.Header().Set("Content-Type", "application/json")
	_, err := c.w.Write([]byte("{}"))
	return err
}
