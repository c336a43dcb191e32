package server

import "github.com/berth-ecs/berth/proxyconf"

// News is what changes in a Book, all at once.
type News struct {
	Parts         []NodePart
	PartsGone     []PartKey
	Endpoints     []proxyconf.Endpoints
	EndpointsGone []string
	Secrets       []proxyconf.Secret
	SecretsGone   []string
	Whole         bool // what is not in the news is gone
}

// NodePart is a part that a node does.
type NodePart struct {
	Node Node
	Part proxyconf.Part
}

// PartKey names one.
type PartKey struct {
	Node Node
	Part string
}

// Sink hears what nodes say.
type Sink interface {
	// Report takes what a node said. The first report of a connection is Whole. It may block: it holds back this node alone.
	Report(n Node, r proxyconf.Report)
	// Left: the node's last connection to this server has ended.
	Left(n Node)
}
