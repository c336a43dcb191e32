package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
)

// The media types of manifests.
const (
	DockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	DockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	OCIManifest    = "application/vnd.oci.image.manifest.v1+json"
	OCIIndex       = "application/vnd.oci.image.index.v1+json"
)

// Manifest is what the rules need of one.
type Manifest struct {
	MediaType    string
	ArtifactType string
	Subject      string
	Layers       []string // digests of the configuration and of the layers that the registry keeps; each once
	Children     []string // digests of a list's images; each once
	Size         int64    // of the layers and the configuration
}

// What a record of an image can hold. No image comes near it: a union file system stacks some hundred layers, and RFC 6838 has 127
// characters on either side of a media type's slash.
const (
	maxParts = 4000
	maxType  = 255
)

type descriptor struct {
	MediaType string   `json:"mediaType"`
	Digest    string   `json:"digest"`
	Size      int64    `json:"size"`
	URLs      []string `json:"urls"`
}

type document struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     string          `json:"mediaType"`
	ArtifactType  string          `json:"artifactType"`
	Config        *descriptor     `json:"config"`
	Layers        []descriptor    `json:"layers"`
	Manifests     []descriptor    `json:"manifests"`
	FSLayers      json.RawMessage `json:"fsLayers"`
	Subject       *descriptor     `json:"subject"`
}

// ParseManifest reads a manifest. mediaType is what the client said of it, and may be empty. A manifest that could be
// read as one of two kinds is refused: two programs would see two images under one digest.
func ParseManifest(mediaType string, content []byte) (Manifest, error) {
	var d document
	if err := json.Unmarshal(content, &d); err != nil {
		return Manifest{}, fmt.Errorf("manifest is not a JSON object: %w", err)
	}
	if mediaType != "" {
		bare, _, err := mime.ParseMediaType(mediaType)
		if err != nil {
			return Manifest{}, fmt.Errorf("media type %q: %w", mediaType, err)
		}
		mediaType = bare
	}
	if mediaType == "" || mediaType == "application/json" || mediaType == "text/plain" {
		mediaType = d.guess()
	}
	if d.MediaType != "" && d.MediaType != mediaType {
		return Manifest{}, fmt.Errorf("manifest says its media type is %q, the request says %q", d.MediaType, mediaType)
	}
	if d.SchemaVersion != 2 || d.FSLayers != nil {
		return Manifest{}, fmt.Errorf("schema version %d is not supported: want 2", d.SchemaVersion)
	}
	switch {
	case len(d.Layers) > maxParts || len(d.Manifests) > maxParts:
		return Manifest{}, fmt.Errorf("a manifest has at most %d layers or manifests", maxParts)
	case len(d.ArtifactType) > maxType || d.Config != nil && len(d.Config.MediaType) > maxType:
		return Manifest{}, fmt.Errorf("a media type has at most %d characters", maxType)
	}
	switch mediaType {
	case DockerManifest, OCIManifest:
		return d.image(mediaType)
	case DockerList, OCIIndex:
		return d.list(mediaType)
	}
	return Manifest{}, fmt.Errorf("manifests of media type %q are not supported", mediaType)
}

// guess is the media type of a manifest about which nothing was said.
func (d *document) guess() string {
	switch {
	case d.MediaType != "":
		return d.MediaType
	case d.Manifests != nil:
		return OCIIndex
	}
	return OCIManifest
}

func (d *document) image(mediaType string) (Manifest, error) {
	switch {
	case d.Config == nil:
		return Manifest{}, errors.New("an image manifest needs a config")
	case d.Manifests != nil:
		return Manifest{}, errors.New("an image manifest has no manifests")
	}
	m := Manifest{MediaType: mediaType, ArtifactType: d.ArtifactType}
	if m.ArtifactType == "" {
		m.ArtifactType = d.Config.MediaType
	}
	if err := m.take(d.Subject); err != nil {
		return Manifest{}, err
	}
	for _, l := range append([]descriptor{*d.Config}, d.Layers...) {
		if err := l.check(); err != nil {
			return Manifest{}, err
		}
		if l.elsewhere() {
			continue
		}
		m.Size += l.Size
		m.Layers = once(m.Layers, l.Digest)
	}
	return m, nil
}

func (d *document) list(mediaType string) (Manifest, error) {
	switch {
	case d.Manifests == nil:
		return Manifest{}, errors.New("a manifest list needs manifests")
	case d.Config != nil || d.Layers != nil:
		return Manifest{}, errors.New("a manifest list has neither config nor layers")
	}
	m := Manifest{MediaType: mediaType, ArtifactType: d.ArtifactType}
	if err := m.take(d.Subject); err != nil {
		return Manifest{}, err
	}
	for _, c := range d.Manifests {
		if err := c.check(); err != nil {
			return Manifest{}, err
		}
		m.Children = once(m.Children, c.Digest)
	}
	return m, nil
}

// take keeps the subject, which need not be in the repository.
func (m *Manifest) take(subject *descriptor) error {
	if subject == nil {
		return nil
	}
	m.Subject = subject.Digest
	return subject.check()
}

func (d *descriptor) check() error {
	switch {
	case !ValidDigest(d.Digest):
		return fmt.Errorf("digest %q is not one of SHA-256", d.Digest)
	case d.Size < 0:
		return fmt.Errorf("size of %s is negative", d.Digest)
	}
	return nil
}

// elsewhere says whether a layer stays where its URLs point: Windows base layers do.
func (d *descriptor) elsewhere() bool {
	return len(d.URLs) > 0 || strings.Contains(d.MediaType, "nondistributable") || strings.Contains(d.MediaType, ".foreign.")
}

func once(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
