package introspection

import (
	_ "embed"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/berth-ecs/berth/node/metadata"
)

// Source knows the node. Its methods may be called at once.
type Source interface {
	Self() Self
	// Described are all tasks the node knows, those that have ended among them.
	Described() []metadata.Task
}

// Self is the answer of /v1/metadata.
type Self struct {
	Cluster              string
	ContainerInstanceArn *string // null before the node is registered
	Version              string
}

// task is a task of /v1/tasks.
type task struct {
	Arn           string
	DesiredStatus string `json:",omitzero"`
	KnownStatus   string
	Family        string
	Version       string
	Containers    []container
}

type container struct {
	ID           string `json:"DockerId"`
	DockerName   string
	Name         string
	Image        string
	ImageID      string
	CreatedAt    *time.Time        `json:",omitzero"`
	StartedAt    *time.Time        `json:",omitzero"`
	Ports        []metadata.Port   `json:",omitzero"`
	Networks     []network         `json:",omitzero"`
	Volumes      []metadata.Volume `json:",omitzero"`
	RestartCount *int              `json:",omitzero"`
}

type network struct {
	NetworkMode   string
	IPv4Addresses []string `json:",omitzero"`
	IPv6Addresses []string `json:",omitzero"`
}

//go:embed LICENSE
var license string

// shortID is how long the agent lets an abbreviated container id be.
const shortID = 12

// Handler answers from s.
func Handler(s Source, log *slog.Logger) http.Handler {
	h := handler{s, log.With("component", "introspection")}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/metadata", func(w http.ResponseWriter, _ *http.Request) { h.answer(w, http.StatusOK, s.Self()) })
	mux.HandleFunc("GET /v1/tasks", h.tasks)
	mux.HandleFunc("GET /license", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(license)) // who is gone needs no answer
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		h.answer(w, http.StatusOK, struct{ AvailableCommands []string }{[]string{"/v1/metadata", "/v1/tasks", "/license"}})
	})
	return mux
}

type handler struct {
	source Source
	log    *slog.Logger
}

// tasks answers all tasks, or the one that the query asks for.
func (h handler) tasks(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	all := h.source.Described()
	switch id, arn := q.Get("dockerid"), q.Get("taskarn"); {
	case q.Has("dockerid") && q.Has("taskarn"):
		h.answer(w, http.StatusBadRequest, task{})
	case q.Has("taskarn"):
		h.one(w, all, func(t metadata.Task) bool { return t.TaskARN == arn })
	case q.Has("dockerid"):
		h.one(w, all, func(t metadata.Task) bool { return hasContainer(t, id) })
	default:
		out := struct{ Tasks []task }{[]task{}}
		for _, t := range all {
			out.Tasks = append(out.Tasks, describe(t))
		}
		h.answer(w, http.StatusOK, out)
	}
}

func hasContainer(t metadata.Task, id string) bool {
	for _, c := range t.Containers {
		if id != "" && (c.ID == id || len(id) <= shortID && strings.HasPrefix(c.ID, id)) {
			return true
		}
	}
	return false
}

// one answers the only task that fits.
func (h handler) one(w http.ResponseWriter, all []metadata.Task, fits func(metadata.Task) bool) {
	var found []metadata.Task
	for _, t := range all {
		if fits(t) {
			found = append(found, t)
		}
	}
	if len(found) != 1 {
		h.answer(w, http.StatusNotFound, task{})
		return
	}
	h.answer(w, http.StatusOK, describe(found[0]))
}

func describe(t metadata.Task) task {
	out := task{
		Arn: t.TaskARN, DesiredStatus: t.DesiredStatus, KnownStatus: t.KnownStatus, Family: t.Family, Version: t.Revision,
		Containers: []container{},
	}
	for _, c := range t.Containers {
		d := container{
			ID: c.ID, DockerName: c.DockerName, Name: c.Name, Image: c.Image, ImageID: c.ImageID, CreatedAt: c.CreatedAt,
			StartedAt: c.StartedAt, Ports: c.Ports, Volumes: c.Volumes, RestartCount: c.RestartCount,
		}
		for _, n := range c.Networks {
			d.Networks = append(d.Networks, network{n.NetworkMode, n.IPv4Addresses, n.IPv6Addresses})
		}
		out.Containers = append(out.Containers, d)
	}
	return out
}

func (h handler) answer(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		h.log.Error("encode an answer", "error", err)
		status, b = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // who is gone needs no answer
}
