package server

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/berth-ecs/berth/mesh/xds"
)

const versionBytes = 8

// item is a resource as it is told: encoded once, for all nodes.
func item(r xds.Resource) (*Item, error) {
	body, err := xds.Pack(r)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body.GetValue())
	return &Item{Key: Key{r.Type, r.Name}, Version: hex.EncodeToString(sum[:versionBytes]), Body: body}, nil
}
