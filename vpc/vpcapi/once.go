package vpcapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// request is one that must not be done twice.
type request struct {
	token      *string // the client's; nil or "" for none
	parameters any     // all that must be the same when the token comes again; they may hold the token
}

// once makes something, or answers what the same client token made before. A token that comes with other parameters is EC2's error. made
// answers what is there under an id; what was made and is gone is made anew. 1 key.
func once[T any](tx store.Tx, c wire.Call, r request, made func(id string) (T, error), fresh func() (T, string, error)) (T, error) {
	var none T
	token := aws.Val(r.token)
	if token == "" {
		item, _, err := fresh()
		return item, err
	}
	if len(token) > 64 {
		return none, invalid("Value (%s) for parameter clientToken is invalid. It may have up to 64 characters.", token)
	}
	b, err := json.Marshal(r.parameters)
	if err != nil {
		return none, fmt.Errorf("vpcapi: hash of a request: %w", err)
	}
	t := &vpc.Token{Home: homeOf(c), Operation: c.Operation, Token: digest([]byte(token)), Request: digest(b), At: tx.Now()}
	if old, ok := tables.Tokens.Get(tx, tables.At(t.Home).Key(t.Operation, t.Token)); ok && t.At.Sub(old.At) < vpc.TokenLife {
		if old.Request != t.Request {
			return none, wire.Errorf("IdempotentParameterMismatch", "The client token you have provided is associated with a resource that has different parameters.")
		}
		if item, err := made(old.Resource); err == nil {
			return item, nil
		}
	}
	item, id, err := fresh()
	if err != nil {
		return none, err
	}
	t.Resource = id
	tables.Tokens.Put(tx, t)
	return item, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
