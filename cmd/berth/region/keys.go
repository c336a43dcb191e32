package region

import (
	"crypto/rand"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/rootkeys"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// rootKey is the only key there is until the iam wing keeps others.
type rootKey struct {
	accessKey string
	key       sigv4.Key
}

// Lookup implements sigv4.Keys.
func (k rootKey) Lookup(accessKey string) (sigv4.Key, bool) { return k.key, accessKey == k.accessKey }

// ensureKeys answers the root keys: those of the settings, else those of the data directory, made at the first start.
func ensureKeys(s config.Settings) (sigv4.Keys, error) {
	keys, err := rootkeys.Ensure(s.DataDir, rootkeys.Keys{AccessKey: s.AccessKey, SecretKey: s.SecretKey}, rand.Reader)
	if err != nil {
		return nil, err
	}
	return rootKey{accessKey: keys.AccessKey, key: sigv4.Key{
		Secret:    keys.SecretKey,
		Account:   s.Account,
		Principal: "arn:aws:iam::" + s.Account + ":root",
		UserID:    s.Account,
	}}, nil
}
