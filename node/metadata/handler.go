package metadata

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Source knows the containers of this node. Its methods may be called at once.
type Source interface {
	// Lookup finds the container whose metadata URL carries the id, and its task with all containers. A container has its
	// Networks with its address before it is started: who may ask is decided by them.
	Lookup(endpointID string) (Task, Container, bool)
	// Stats answers in the shape of Docker's stats. A nil answer without an error means that there are none yet.
	Stats(ctx context.Context, containerID string) (any, error)
}

// CallerSource is a Source that knows the addresses of this node's endpoints. It keeps a container on the bridge from
// reading about a task in host mode, which has no address of its own to compare with.
type CallerSource interface {
	Source
	// IsEndpoint tells whether the address is an endpoint's.
	IsEndpoint(addr netip.Addr) bool
}

// CredentialSource is a Source that also has task credentials.
type CredentialSource interface {
	Source
	// Credentials finds them by the id in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, with the task they are for.
	Credentials(id string) (Credentials, Task, bool)
}

// TagSource is a Source that can ask for tags, which the node does not keep.
type TagSource interface {
	Source
	// Tags returns the tags of the task and of its container instance. What could not be had is told by Errors.
	Tags(ctx context.Context, t Task) (task, instance map[string]string, errs []Error)
}

// Credentials is what the SDKs' container credential providers expect.
type Credentials struct {
	RoleArn         string
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      string // RFC 3339
}

type handler struct {
	source Source
	log    *slog.Logger
	limits *limiter
}

// Handler answers the metadata endpoint from s, and credentials and tags when s is a CredentialSource or a TagSource.
func Handler(s Source, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := &handler{s, log.With("component", "metadata"), newLimiter(time.Now)}
	mux := http.NewServeMux()
	handle := func(pattern string, f http.HandlerFunc) { mux.Handle(pattern, h.limited(pattern, f)) }
	h.versions(handle)
	h.credentialPaths(handle)
	h.agentAPI(handle)
	return mux
}

// versions are the paths that describe tasks.
func (h *handler) versions(handle func(string, http.HandlerFunc)) {
	for _, v := range []version{{"/v4/", "V4", true, http.StatusNotFound}, {"/v3/", "V3", false, http.StatusBadRequest}} {
		for _, r := range routes {
			handle("GET "+v.path+"{id}"+r.path, h.about(v, r))
		}
	}
	for path, ask := range map[string]func(question) (any, error){"metadata": v2Metadata, "stats": v2Stats} {
		handle("GET /v2/"+path, h.version2(ask))
		handle("GET /v2/"+path+"/{$}", h.version2(ask))
		handle("GET /v2/"+path+"/{container}", h.version2(ask))
	}
	handle("GET /v2/metadataWithTags", h.version2(v2Tags))
	handle("GET /v2/metadataWithTags/{$}", h.version2(v2Tags))
}

func (h *handler) credentialPaths(handle func(string, http.HandlerFunc)) {
	handle("GET /v2/credentials/{id}", func(w http.ResponseWriter, r *http.Request) {
		h.credentials(w, r, "CredentialsV2Request", r.PathValue("id"))
	})
	handle("GET /v2/credentials/{$}", func(w http.ResponseWriter, r *http.Request) {
		h.credentials(w, r, "CredentialsV2Request", "")
	})
	handle("GET /v1/credentials", func(w http.ResponseWriter, r *http.Request) {
		h.credentials(w, r, "CredentialsV1Request", r.URL.Query().Get("id"))
	})
}

// agentAPI is what ECS_AGENT_URI leads to.
func (h *handler) agentAPI(handle func(string, http.HandlerFunc)) {
	handle("GET /api/{id}/task-protection/v1/state", h.getProtection)
	handle("PUT /api/{id}/task-protection/v1/state", h.putProtection)
	for _, kind := range faults {
		for _, verb := range faultVerbs {
			handle("POST /api/{id}/fault/v1/"+kind+"/"+verb, h.fault)
		}
	}
}

// answer writes JSON as the agent does; only errors are logged, never contents.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		h.log.Error("encode an answer", "path", r.Pattern, "error", err)
		status, b = http.StatusInternalServerError, []byte(`"internal error"`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(b); err != nil {
		h.log.Debug("write an answer", "path", r.Pattern, "error", err)
	}
}

// entitled tells whether the caller may read about a task. A task that has addresses is read from these only: the bridge
// has checked the source of every packet. One without (host mode) is told by its id alone, but not to the bridge.
func (h *handler) entitled(r *http.Request, t Task) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	caller := from.Addr().Unmap()
	addressed := false
	for _, c := range t.Containers {
		for _, n := range c.Networks {
			for _, a := range n.IPv4Addresses {
				addr, err := netip.ParseAddr(a)
				if err == nil && addr == caller {
					return true
				}
				addressed = true
			}
		}
	}
	if addressed {
		return false
	}
	s, ok := h.source.(CallerSource)
	return !ok || !s.IsEndpoint(caller)
}
