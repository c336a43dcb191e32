package tables

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// tokenLife is how long a client token is remembered.
const tokenLife = 24 * time.Hour

// Once is a request that must not be done twice.
type Once struct {
	home      ecs.Home
	operation string
	token     string // hash of the client's, "" when it gave none
	request   string // hash of the parameters
}

// OnceOf is a request with a client token, "" when it gave none. The parameters are
// all that must be the same when the token comes again; they may hold the token.
func OnceOf(h ecs.Home, operation, token string, parameters any) (Once, error) {
	o := Once{home: h, operation: operation}
	if token == "" {
		return o, nil
	}
	b, err := json.Marshal(parameters)
	if err != nil {
		return o, fmt.Errorf("tables: hash of a request: %w", err)
	}
	o.token, o.request = digest([]byte(token)), digest(b)
	return o, nil
}

// digest is 128 bits of a hash: SDKs give every RunTask a token, and all of a day are kept.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Before answers what the same token made earlier, if anything, and whether the
// parameters were the same. It guards the token (1 key).
func (o Once) Before(tx store.Tx) (made []string, same, done bool) {
	if o.token == "" {
		return nil, false, false
	}
	t, ok := Tokens.Get(tx, At(o.home).Key(o.operation, o.token))
	if !ok || tx.Now().Sub(t.At) >= tokenLife {
		return nil, false, false
	}
	return t.Resources, t.Request == o.request, true
}

// Remember notes what the request made, in the transaction that makes it (1 key).
func (o Once) Remember(tx store.Tx, arns ...string) {
	if o.token != "" {
		Tokens.Put(tx, &ecs.Token{Home: o.home, Operation: o.operation, Token: o.token,
			Request: o.request, Resources: arns, At: tx.Now()})
	}
}
