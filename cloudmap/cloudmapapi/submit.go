package cloudmapapi

import (
	"context"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// asked is a request with a CreatorRequestId, or none.
type asked struct {
	home      cloudmap.Home
	operation string // of the API
	token     string // optional
	hash      string // tells the request from others of the token
}

// ask describes a request; without is a copy of it that has no CreatorRequestId.
func ask(c wire.Call, token *string, without any) asked {
	return asked{home(c), c.Operation, aws.Val(token), wire.FilterHash(without)}
}

// answered is what a request of the same CreatorRequestId made; empty when there was none.
func (r asked) answered(tx store.Tx) (id string, err error) {
	if r.token == "" {
		return "", nil
	}
	t, ok := tables.Tokens.Get(tx, tables.NameKey(r.home, r.operation, r.token))
	switch {
	case !ok:
		return "", nil
	case t.Hash != r.hash:
		return "", cloudmap.Duplicate(t.ID, "Another request with other parameters has the CreatorRequestId %s", r.token)
	}
	return t.ID, nil
}

// keep remembers what the request made.
func (r asked) keep(tx store.Tx, id string) {
	if r.token != "" {
		tables.Tokens.Put(tx, &cloudmap.Token{Home: r.home, Request: r.operation, Token: r.token, Hash: r.hash, ID: id, At: tx.Now()})
	}
}

// submit writes down an operation that prepare fills, unless one about the same goes on, and answers its id.
func (a *API) submit(ctx context.Context, r asked, prepare func(tx store.Tx, o *cloudmap.Operation) error) (*string, error) {
	var id string
	err := a.store.Update(ctx, func(tx store.Tx) (err error) {
		if id, err = r.answered(tx); id != "" || err != nil {
			return err
		}
		o := &cloudmap.Operation{Home: r.home, ID: cloudmap.OperationID(tx.NewID(), tx.Now()), Request: r.operation,
			CreatorRequestID: r.token, CreatedAt: tx.Now()}
		if err := prepare(tx, o); err != nil {
			return err
		}
		if b, busy := tables.Busies.Get(tx, tables.Key(r.home, o.Target())); busy {
			return cloudmap.Duplicate(b.Operation, "Another operation of type %s and id %s is in progress", o.Type, b.Operation)
		}
		tables.Busies.Put(tx, &cloudmap.Busy{Home: r.home, Target: o.Target(), Operation: o.ID})
		tables.Operations.Put(tx, o)
		r.keep(tx, o.ID)
		id = o.ID
		return nil
	})
	return &id, err
}
