package session

import "github.com/berth-ecs/berth/nodeconf"

// NodePath is where berth's own nodes follow their configuration, below a server's endpoint. The query says who (node) and what it has (version).
const NodePath = "/_berth/node/ws"

// NodeConfigurationMessage is a server's, to berth's own nodes: how their configuration changes. A change that is large comes in parts; it
// counts when the last of them is there.
type NodeConfigurationMessage struct {
	Delta nodeconf.Delta `json:"delta"`
	More  bool           `json:"more,omitempty"` // other parts of the change follow
}

// NodeConfigurationAck is a node's: what it is.
type NodeConfigurationAck struct {
	Version  int64    `json:"version"`            // of the configuration that it has taken over, and tries to be
	Applied  int64    `json:"applied,omitempty"`  // of the newest one that it was
	Error    string   `json:"error,omitempty"`    // why it is not Version
	Up       int      `json:"up,omitempty"`       // interfaces that are up
	Down     []string `json:"down,omitempty"`     // some of those that should be and are not
	Resync   bool     `json:"resync,omitempty"`   // it cannot go on from here: it asks for the whole
	Duration int64    `json:"duration,omitempty"` // milliseconds that the last one took to apply
}

func (*NodeConfigurationMessage) message() {}
func (*NodeConfigurationAck) message()     {}
