package vpc

// Deletion says that somebody finds out whether a resource is unused, to delete it. Whoever begins to use the resource takes it away, and
// the deletion does not happen. One that was left by a server that ended changes nothing.
type Deletion struct {
	Home
	Resource string
	By       string // tells one attempt from another
}
