package tables

import (
	"fmt"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// Agent is what a control session tells of its agent when it opens.
type Agent struct {
	Session string // unique in the installation
	Version string // agentVersion
	Hash    string // agentHash
	Docker  string // dockerVersion, without its prefix
}

// Connect notes that an instance's control session is open (1 key). A later
// Disconnect of an earlier session changes nothing.
func Connect(tx store.Tx, instance string, a Agent) error {
	old, ok := InstanceStates.Get(tx, instance)
	if !ok {
		return fmt.Errorf("container instance %s is not registered", instance)
	}
	s := *old
	s.Connected, s.Session, s.ConnectedAt = true, a.Session, tx.Now()
	s.Agent, s.AgentHash = a.Version, a.Hash
	s.Docker = strings.TrimPrefix(a.Docker, "DockerVersion: ")
	s.Version++
	InstanceStates.Put(tx, &s)
	return nil
}

// Disconnect notes that a control session ended, unless a newer one is open (1
// key).
func Disconnect(tx store.Tx, instance, session string) error {
	old, ok := InstanceStates.Get(tx, instance)
	if !ok || !old.Connected || old.Session != session {
		return nil
	}
	s := *old
	s.Connected, s.Session = false, ""
	s.Version++
	InstanceStates.Put(tx, &s)
	return nil
}

// ConnectedSessions answers the open control session of each connected instance, by the
// instance's key. It reads every instance: for a server's start only.
func ConnectedSessions(tx store.Tx) map[string]string {
	out := make(map[string]string)
	for key, s := range InstanceStates.List(tx, "", "") {
		if s.Connected && s.Status != ecs.InstanceInactive {
			out[key] = s.Session
		}
	}
	return out
}
