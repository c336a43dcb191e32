package ociapi

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/distribution/distribution/v3/registry/api/errcode"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/registry/token"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// user is the name that goes with every password.
const user = "AWS"

// authenticate learns who calls from the password.
func (c *call) authenticate(ctx context.Context) error {
	name, password, ok := c.r.BasicAuth()
	if !ok {
		return errcode.ErrorCodeUnauthorized.WithMessage("authentication required: a password is made by aws ecr get-login-password")
	}
	if name != user {
		return errcode.ErrorCodeUnauthorized.WithMessage("the user name of this registry is " + user)
	}
	var secret []byte
	err := c.shelf.Store.View(ctx, store.Any, func(tx store.Tx) (err error) {
		secret, err = tables.KnownSecret(tx)
		return err
	})
	if err != nil {
		return err
	}
	if secret == nil {
		return errcode.ErrorCodeUnauthorized.WithMessage("the password is not one of this registry")
	}
	claims, err := token.Open(secret, password, c.now())
	switch {
	case errors.Is(err, token.ErrExpired):
		return errcode.ErrorCodeDenied.WithMessage("Your authorization token has expired. Reauthenticate and try again.")
	case err != nil:
		return errcode.ErrorCodeUnauthorized.WithMessage("the password is not one of this registry")
	}
	c.home = registry.Home{Account: claims.Account, Region: claims.Region}
	c.who = wire.Call{Account: claims.Account, Region: claims.Region, Partition: registry.Partition, Principal: claims.Principal,
		UserID: claims.UserID, AccessKey: claims.AccessKey, Service: "ecr", RemoteAddr: c.r.RemoteAddr}
	return c.checkHost()
}

// checkHost refuses a password of another registry than the one that is addressed by name.
func (c *call) checkHost() error {
	host := c.r.Host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	if h, ok := registry.ParseHost(host); ok && h != c.home {
		return errcode.ErrorCodeDenied.WithMessage(fmt.Sprintf("User: %s is not authorized to use the registry %s", c.who.Principal, host))
	}
	return nil
}

// challenge asks for a password.
func (c *call) challenge() {
	c.w.Header().Set("WWW-Authenticate", fmt.Sprintf("Basic realm=%q,service=\"ecr.amazonaws.com\"", "http://"+c.r.Host+"/"))
}

// denied is an Authorizer's refusal in the protocol's form.
func denied(err error) error {
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return errcode.ErrorCodeDenied.WithMessage(e.Message)
	}
	return err
}
