package ecs

// Server is the process of a server that holds agents' sessions beside others, and how often it has said that it is there. That it says so no more is seen by
// others on their own clocks.
type Server struct {
	ID    string // what ids of its sessions begin with
	Beats int64
}
