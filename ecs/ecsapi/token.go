package ecsapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// tokenLife is how long a client token is remembered.
const tokenLife = 24 * time.Hour

// once is a request that must not be done twice.
type once struct {
	home      ecs.Home
	operation string
	token     string // hash of the client's, "" when it gave none
	request   string // hash of the parameters
}

// onceOf reads a client token of at most a length. The request is all that must be
// the same; its own token may be part of it.
func onceOf(h ecs.Home, operation string, token *string, longest int, request any) (once, error) {
	o := once{home: h, operation: operation}
	given := aws.Val(token)
	if given == "" {
		return o, nil
	}
	if len(given) > longest {
		return o, invalid("clientToken must be at most %d characters long.", longest)
	}
	for _, r := range given {
		if r < 33 || r > 126 {
			return o, invalid("clientToken must hold ASCII characters between 33 and 126 only.")
		}
	}
	b, err := json.Marshal(request)
	if err != nil {
		return o, fmt.Errorf("ecsapi: hash of a request: %w", err)
	}
	o.token, o.request = digest([]byte(given)), digest(b)
	return o, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// before answers what the same token made earlier, if anything, and whether the
// parameters were the same. It guards the token (1 key).
func (o once) before(tx store.Tx) (made []string, same, done bool) {
	if o.token == "" {
		return nil, false, false
	}
	t, ok := tables.Tokens.Get(tx, tables.At(o.home).Key(o.operation, o.token))
	if !ok || tx.Now().Sub(t.At) >= tokenLife {
		return nil, false, false
	}
	return t.Resources, t.Request == o.request, true
}

// remember notes what the request made, in the transaction that makes it (1 key).
func (o once) remember(tx store.Tx, arns ...string) {
	if o.token != "" {
		tables.Tokens.Put(tx, &ecs.Token{Home: o.home, Operation: o.operation, Token: o.token,
			Request: o.request, Resources: arns, At: tx.Now()})
	}
}
