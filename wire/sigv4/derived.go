package sigv4

import "sync"

// maxDerived bounds the keys that are remembered: who knows an access key may name any scope before his signature is looked at.
const maxDerived = 256

// derivation is what a signing key is derived from: the same for everything that one client signs on one day.
type derivation struct {
	secret, day string
	scope       Scope
}

// derived remembers signing keys, which cost four times what the signature itself does. The zero value is ready.
type derived struct {
	mu   sync.Mutex
	keys map[derivation][]byte
}

// key is the signing key of a derivation.
func (d *derived) key(of derivation) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if k, ok := d.keys[of]; ok {
		return k
	}
	if d.keys == nil || len(d.keys) >= maxDerived {
		d.keys = make(map[derivation][]byte)
	}
	k := of.scope.key(of.secret, of.day)
	d.keys[of] = k
	return k
}
