package tables

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// Agent is what an agent's control session says of itself when it opens.
type Agent struct{ Version, Hash, Docker string }

// MarkConnected notes that a control session of a container instance (by MemberKey)
// opened or ended, and says whether the instance is known. The end of a session
// that another has replaced changes nothing, and a deregistered instance is never
// connected.
// Guards and writes the instance's state (1 key).
func MarkConnected(tx store.Tx, key, session string, connected bool) bool {
	s, ok := InstanceStates.Get(tx, key)
	if !ok {
		return false
	}
	next := *s
	switch {
	case connected && s.Status == ecs.InstanceInactive:
		return true
	case connected:
		next.Connected, next.Session, next.ConnectedAt = true, session, tx.Now()
	case s.Connected && s.Session == session:
		next.Connected, next.Session = false, ""
	default:
		return true
	}
	if next.Connected != s.Connected {
		next.Version++
	}
	InstanceStates.Put(tx, &next)
	return true
}

// Deregister makes a container instance INACTIVE, of a state that the caller has read
// with Get: its agent is not listened to any more. The reason may be empty.
// Writes the instance's state (1 key).
func Deregister(tx store.Tx, s *ecs.InstanceState, reason string) {
	next := *s
	next.Status, next.StatusReason = ecs.InstanceInactive, reason
	next.Connected, next.Session, next.InactiveAt = false, "", tx.Now()
	next.Version++
	InstanceStates.Put(tx, &next)
}

// MarkAgent notes what the agent of a container instance (by MemberKey) says of
// itself. Guards and writes the instance's state (1 key).
func MarkAgent(tx store.Tx, key string, a Agent) bool {
	s, ok := InstanceStates.Get(tx, key)
	if !ok {
		return false
	}
	if s.Agent == a.Version && s.AgentHash == a.Hash && s.Docker == a.Docker {
		return true
	}
	next := *s
	next.Agent, next.AgentHash, next.Docker = a.Version, a.Hash, a.Docker
	InstanceStates.Put(tx, &next)
	return true
}

// MarkInstanceHealth notes the overall health that the agent's telemetry tells of a
// container instance (by MemberKey): only a change is written.
// Guards and writes the instance's state (1 key).
func MarkInstanceHealth(tx store.Tx, key, health string) bool {
	s, ok := InstanceStates.Get(tx, key)
	if !ok {
		return false
	}
	if s.Health == health {
		return true
	}
	next := *s
	next.Health, next.HealthAt = health, tx.Now()
	InstanceStates.Put(tx, &next)
	return true
}

// Listened says whether the agent of a container instance (by MemberKey) is listened
// to: the instance is known and was not deregistered.
func Listened(tx store.Tx, key string) bool {
	s, ok := InstanceStates.Peek(tx, key)
	return ok && s.Status != ecs.InstanceInactive
}

// Connected says whether a container instance (by MemberKey) has an agent.
func Connected(tx store.Tx, key string) bool {
	s, ok := InstanceStates.Peek(tx, key)
	return ok && s.Connected && s.Status != ecs.InstanceInactive
}

// Beat says that a server's process is there (1 key).
func Beat(tx store.Tx, server string) {
	next := ecs.Server{ID: server, Beats: Beats(tx, server) + 1}
	Servers.Put(tx, &next)
}

// Beats is how often a server's process said that it is there; 0 for one that never did.
func Beats(tx store.Tx, server string) int64 {
	if s, ok := Servers.Get(tx, ServerKey(server)); ok {
		return s.Beats
	}
	return 0
}

// ConnectedSessions answers the open control session of each connected instance, by
// the instance's key. It reads every instance: not for what happens often.
func ConnectedSessions(tx store.Tx) map[string]string {
	out := make(map[string]string)
	for key, s := range InstanceStates.List(tx, "", "") {
		if s.Connected {
			out[key] = s.Session
		}
	}
	return out
}
