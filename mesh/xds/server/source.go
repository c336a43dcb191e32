package server

import "google.golang.org/protobuf/types/known/anypb"

// Node is a node as it was admitted. Names are nodes' own to choose: those of two accounts may be the same.
type Node struct{ Account, Region, Name string }

// Key names a resource.
type Key struct{ Type, Name string }

// Item is a resource that is told. Nodes share it: nobody changes it.
type Item struct {
	Key
	Version string // of what Body is: the same for the same bytes, on every server
	Body    *anypb.Any
}

// Source knows what nodes are to have. Book is one.
type Source interface {
	// Follow follows what a node is to have, from nothing: the first Take is everything.
	Follow(n Node) Following
}

// Following is one node's.
type Following interface {
	// Ready has something when Take may have a change. What changes while nobody takes is one change.
	Ready() <-chan struct{}
	Take() Change
	Close()
}

// Change is how what a node is to have changes. It is consistent when all of it is told: nothing names what is not there.
type Change struct {
	Set  []*Item
	Gone []Key
	Held []Key // that the node is to have, and this server cannot say: what the node has of them stays
}
