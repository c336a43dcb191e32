package registryapi

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/registry/token"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// User is the name that goes with a token.
const User = "AWS"

// GetAuthorizationToken makes a password for the registry. The proxy endpoint is the name that images have in task
// definitions, as on AWS: agents compare the two.
func (a *API) GetAuthorizationToken(ctx context.Context, c wire.Call, in *shape.GetAuthorizationTokenRequest) (*shape.GetAuthorizationTokenResponse, error) {
	ids := in.RegistryIds
	if len(ids) == 0 {
		ids = []string{c.Account}
	}
	var secret []byte
	var now time.Time
	err := a.store.Update(ctx, func(tx store.Tx) (err error) {
		now = tx.Now()
		secret, err = tables.TokenSecret(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	expires := now.Add(token.Life)
	pass, err := token.Seal(secret, token.Claims{Account: c.Account, Region: c.Region, Principal: c.Principal, UserID: c.UserID,
		AccessKey: c.AccessKey, Expires: expires})
	if err != nil {
		return nil, err
	}
	out := &shape.GetAuthorizationTokenResponse{}
	for _, id := range ids {
		out.AuthorizationData = append(out.AuthorizationData, shape.AuthorizationData{
			AuthorizationToken: aws.Ptr(base64.StdEncoding.EncodeToString([]byte(User + ":" + pass))),
			ExpiresAt:          aws.At(expires),
			ProxyEndpoint:      aws.Ptr("https://" + registry.Home{Account: id, Region: c.Region}.Host()),
		})
	}
	return out, nil
}
