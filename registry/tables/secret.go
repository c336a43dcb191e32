package tables

import (
	"encoding/hex"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/store"
)

// tokenSecret names the secret that signs tokens.
const tokenSecret = "token"

// TokenSecret is what signs the tokens of the installation; made at its first use. Writes up to 1 key.
func TokenSecret(tx store.Tx) ([]byte, error) {
	s, ok := Secrets.Get(tx, store.Installation().Key(tokenSecret))
	if !ok {
		s = &registry.Secret{Name: tokenSecret, Hex: tx.NewID() + tx.NewID()}
		Secrets.Put(tx, s)
	}
	return hex.DecodeString(s.Hex)
}

// KnownSecret is TokenSecret where nothing can be written; nil while there is none, and so no token.
func KnownSecret(tx store.Tx) ([]byte, error) {
	s, ok := Secrets.Peek(tx, store.Installation().Key(tokenSecret))
	if !ok {
		return nil, nil
	}
	return hex.DecodeString(s.Hex)
}
