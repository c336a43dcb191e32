// Package registry holds the records and rules of Amazon ECR: repositories, images, tags, layers and unfinished uploads.
//
// Guarantees:
//
//   - It is pure: no I/O, no clock, no randomness.
//   - Records of what a repository holds are under the repository's id, not its name: deleting a repository is one write,
//     and one that is made again under the name begins empty.
//   - What is bulk (layers and manifests) is in package blobs under its digest; records say who refers to it.
package registry

import "time"

// Home is the account and region a record belongs to. It is the first part of every key.
type Home struct {
	Account string
	Region  string
}

// Repository is what a client made and configured. Only the API writes it.
type Repository struct {
	Home
	Name       string
	ID         string // of this one, not of another that has the name later
	CreatedAt  time.Time
	Mutability string   // of tags; one of the model's
	Exclusions []string `json:",omitempty"` // wildcards of tags for which the other mutability holds
	Tags       []Pair   `json:",omitempty"`
	Policy     string   `json:",omitempty"` // who may; kept and answered
	Lifecycle  string   `json:",omitempty"` // which images expire
}

// Pair is a tag of a resource.
type Pair struct{ Key, Value string }

// Contents is written whenever a repository gets an image or loses images or layers: so what a transaction read of a
// repository's lists still holds when it commits.
type Contents struct {
	Home
	Repository string // ID
	Changes    int64
}

// Image is a manifest that a repository has. It never changes.
type Image struct {
	Home
	Repository   string // ID
	Digest       string
	MediaType    string
	ArtifactType string `json:",omitempty"`
	Subject      string `json:",omitempty"`
	PushedAt     time.Time
	Size         int64    // of the layers, compressed, and the configuration; of a list the largest of its images
	Layers       []string `json:",omitempty"` // digests of the configuration and the layers
	Children     []string `json:",omitempty"` // digests of the images of a list
}

// Tag names an image of a repository.
type Tag struct {
	Home
	Repository string // ID
	Name       string
	Digest     string
	At         time.Time
}

// Layer is content that was pushed to a repository, or mounted from another, whether or not an image has it.
type Layer struct {
	Home
	Repository string // ID
	Digest     string
	Size       int64
	At         time.Time // when it was pushed last
}

// Upload is a layer in the making; the content is in package blobs under the same id.
type Upload struct {
	Home
	Repository string // ID
	ID         string
	StartedAt  time.Time
}

// Pull says when an image was pulled, to the day.
type Pull struct {
	Home
	Repository string // ID
	Digest     string
	At         time.Time
}

// Expiry says when a loop last applied a repository's lifecycle policy.
type Expiry struct {
	Home
	Repository string // ID
	At         time.Time
}

// Preview is a lifecycle policy that a client wants to see the effect of.
type Preview struct {
	Home
	Repository string // ID
	Policy     string
	At         time.Time
}

// Secret signs the tokens of an installation.
type Secret struct {
	Name string
	Hex  string
}
