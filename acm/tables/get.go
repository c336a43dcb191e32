package tables

import (
	"fmt"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/store"
)

// Certificate answers the certificate of an ARN, guarded; ok is false when there is none.
func Certificate(tx store.Tx, arn string) (c *acm.Certificate, ok bool) {
	h, id, ok := acm.ParseARN(arn)
	if !ok {
		return nil, false
	}
	return Certificates.Get(tx, Key(h, id))
}

// Use is Certificate for who begins to use it in this transaction: a deletion that runs beside finds out. 2 keys.
func Use(tx store.Tx, arn string) (c *acm.Certificate, ok bool) {
	if c, ok = Certificate(tx, arn); ok {
		Uses.Put(tx, &acm.Use{Home: c.Home, ID: c.ID, By: tx.NewID()})
	}
	return c, ok
}

// Secrets answers what a server of TLS needs of a certificate, in PEM: the certificate with who signed it, and its private key. It is for who
// hands it to proxies, and for nobody else.
func Secrets(tx store.Tx, k *acm.Keyring, arn string) (chain, key []byte, err error) {
	h, id, ok := acm.ParseARN(arn)
	if !ok {
		return nil, nil, acm.NoCertificate(arn)
	}
	c, ok := Certificates.Peek(tx, Key(h, id))
	sealed, has := Keys.Peek(tx, Key(h, id))
	if !ok || !has {
		return nil, nil, acm.NoCertificate(arn)
	}
	if key, err = k.Open(arn, sealed.Sealed); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", arn, err)
	}
	return []byte(c.Body + c.Chain), key, nil
}

// Delete forgets a certificate with its key and tags, unless something uses it; usedBy looks for what does. 4 keys.
func Delete(tx store.Tx, c *acm.Certificate, usedBy func() []string) error {
	Uses.Get(tx, Key(c.Home, c.ID)) // the guard: who begins to use it now makes this run again
	if by := usedBy(); len(by) > 0 {
		return acm.InUse(c.ARN(), by)
	}
	Uses.Delete(tx, Key(c.Home, c.ID))
	Certificates.Delete(tx, Key(c.Home, c.ID))
	Keys.Delete(tx, Key(c.Home, c.ID))
	Tags.Delete(tx, Key(c.Home, c.ID))
	return nil
}

// PutTags writes the tags of a certificate. 1 key.
func PutTags(tx store.Tx, t *acm.Tags) {
	if len(t.Pairs) == 0 {
		Tags.Delete(tx, Key(t.Home, t.ID))
		return
	}
	Tags.Put(tx, t)
}

// Unopened answers the first certificate whose private key a keyring does not open, and why; nil when there is none.
func Unopened(tx store.Tx, k *acm.Keyring) (arn string, err error) {
	for _, key := range Keys.List(tx, "", "") {
		arn = key.ARN(key.ID)
		if _, err = k.Open(arn, key.Sealed); err != nil {
			return arn, err
		}
	}
	return "", nil
}
