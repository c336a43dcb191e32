package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/berth-ecs/berth/session"
)

// Digest tells what the payload said of a container from anything else that it might say.
func Digest(c session.Container) string {
	b, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
