package compose

import (
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/session"
)

// registryAuthentication says how an agent signs in to the registry of an image: to its own account's, which is this installation's.
// Images of other accounts are where their names lead.
func registryAuthentication(t *ecs.Task, image string) *session.RegistryAuthentication {
	host, _, _ := strings.Cut(image, "/")
	h, ok := registry.ParseHost(host)
	if !ok || h.Account != t.Account {
		return nil
	}
	return &session.RegistryAuthentication{Type: session.RegistryECR, ECR: &session.ECRAuthData{RegistryID: h.Account, Region: h.Region}}
}
