package tables

import (
	"iter"
	"strings"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// HistoryKey is the key of what a service did: service deployments by their id, newest first, and revisions by the digits of
// their deployment.
func HistoryKey(h ecs.Home, cluster, service, id string) string {
	return At(h).Key(cluster, service, strings.TrimPrefix(id, ecs.DeploymentPrefix))
}

// The tables of what services did.
var (
	ServiceRevisions = store.Define(store.Def[ecs.ServiceRevision]{Name: "ecs.service.revision", Version: 3,
		Key: func(r *ecs.ServiceRevision) string {
			return HistoryKey(r.Home, r.Cluster, r.Service, r.Deployment.ID)
		}})
	ServiceDeployments = store.Define(store.Def[ecs.ServiceDeployment]{Name: "ecs.service.deployment", Version: 1,
		Key: func(d *ecs.ServiceDeployment) string { return HistoryKey(d.Home, d.Cluster, d.Service, d.ID) }})
	ServiceDeploymentStops = store.Define(store.Def[ecs.ServiceDeploymentStop]{Name: "ecs.service.deployment.stop", Version: 1,
		Key: func(d *ecs.ServiceDeploymentStop) string { return HistoryKey(d.Home, d.Cluster, d.Service, d.ID) }})
	ServiceDeploymentStatuses = store.Define(store.Def[ecs.ServiceDeploymentStatus]{Name: "ecs.service.deployment.status", Version: 1,
		Key: func(d *ecs.ServiceDeploymentStatus) string {
			return HistoryKey(d.Home, d.Cluster, d.Service, d.ID)
		}})
)

// historySchema is every table of what services did.
func historySchema() store.Schema {
	return store.Schema{ServiceRevisions, ServiceDeployments, ServiceDeploymentStops, ServiceDeploymentStatuses}
}

// Deploy records that a service is to become its target, and from what. The definition is the target's. Writes 2 keys.
func Deploy(tx store.Tx, s *ecs.Service, d *ecs.TaskDefinition, sources []string) {
	r := &ecs.ServiceRevision{
		Home: s.Home, Cluster: s.Cluster, Service: s.Name, Incarnation: s.Incarnation,
		Deployment: s.Target,
	}
	for _, c := range d.Document.ContainerDefinitions {
		r.Images = append(r.Images, ecs.RevisionImage{Container: aws.Val(c.Name), Image: aws.Val(c.Image)})
	}
	ServiceRevisions.Put(tx, r)
	at := tx.Now()
	for _, last := range ServiceDeployments.List(tx, At(s.Home).Prefix(s.Cluster, s.Name), "") {
		if !at.After(last.CreatedAt) { // whatever the clock did, what is newer sorts first
			at = last.CreatedAt.Add(time.Microsecond)
		}
		break
	}
	ServiceDeployments.Put(tx, &ecs.ServiceDeployment{
		Home: s.Home, Cluster: s.Cluster, Service: s.Name, Incarnation: s.Incarnation,
		ID: ecs.DeploymentHistoryID(at, tx.NewID()), CreatedAt: at,
		Target: s.Target.ID, Sources: sources, Configuration: s.Configuration,
	})
}

// History yields the service deployments of a service, newest first, behind a key. Those of an earlier service of the name are not
// among them.
func History(tx store.Tx, s *ecs.Service, after string) iter.Seq2[string, ecs.ServiceDeploymentView] {
	return func(yield func(string, ecs.ServiceDeploymentView) bool) {
		for key, d := range ServiceDeployments.List(tx, At(s.Home).Prefix(s.Cluster, s.Name), after) {
			if d.Incarnation == s.Incarnation && !yield(key, PeekServiceDeployment(tx, d)) {
				return
			}
		}
	}
}

// PeekServiceDeployment gathers a service deployment's own records, without guarding them.
func PeekServiceDeployment(tx store.Tx, d *ecs.ServiceDeployment) ecs.ServiceDeploymentView {
	key := HistoryKey(d.Home, d.Cluster, d.Service, d.ID)
	v := ecs.ServiceDeploymentView{ServiceDeployment: d}
	v.Status, _ = ServiceDeploymentStatuses.Peek(tx, key)
	v.Stop, _ = ServiceDeploymentStops.Peek(tx, key)
	return v
}

// openAtOnce bounds what one plan looks at.
const openAtOnce = 10

// Unfinished are the service deployments of a service that are not finished, the oldest of them, newest first.
func Unfinished(tx store.Tx, s *ecs.Service) []ecs.ServiceDeploymentView {
	var out []ecs.ServiceDeploymentView
	for _, v := range History(tx, s, "") {
		if v.Finished() {
			break // the loop finishes the older ones first
		}
		out = append(out, v)
	}
	return out[max(0, len(out)-openAtOnce):]
}

// ViewServiceDeployment gathers a service deployment with all that is answered of it.
func ViewServiceDeployment(tx store.Tx, n Network, v ecs.ServiceDeploymentView) ecs.ServiceDeploymentView {
	if v.Finished() {
		return v
	}
	s, ok := Services.Peek(tx, MemberKey(v.Home, v.Cluster, v.ServiceDeployment.Service))
	if !ok || s.Incarnation != v.Incarnation {
		return v
	}
	v.Service, v.Counts = Counted(tx, n, s), deploymentCounts(tx, s)
	v.Now = ServiceRecords(tx, s).Status
	return v
}

// Digests are the digests of the images that tasks of a revision ran, by container.
func Digests(tx store.Tx, r *ecs.ServiceRevision) map[string]string {
	out := map[string]string{}
	for key := range TasksByDeployment.List(tx, MemberKey(r.Home, r.Cluster, r.Service)+"/"+r.Deployment.ID, "") {
		s, ok := TaskStatuses.Peek(tx, key)
		if !ok {
			continue
		}
		for _, c := range s.Containers {
			if c.ImageDigest != "" {
				out[c.Name] = c.ImageDigest
			}
		}
	}
	return out
}
