// Package stsapi serves STS: who a key belongs to.
//
// Guarantee: the answer is what the request's signature proved, nothing is looked up, so it is right even while the store is away.
package stsapi

import (
	"context"
	"strings"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/sts"
)

// Bind binds the operations of STS that are served.
func Bind(m *wire.Mux) {
	wire.Handle(m, shape.OpGetCallerIdentity, getCallerIdentity)
}

// getCallerIdentity answers from what the signature proved. The user id of an account's root is the account; of other principals it is the
// last part of their ARN until they have ids of their own.
func getCallerIdentity(_ context.Context, c wire.Call, _ *shape.GetCallerIdentityRequest) (*shape.GetCallerIdentityResponse, error) {
	return &shape.GetCallerIdentityResponse{Account: aws.Ptr(c.Account), Arn: aws.Ptr(c.Principal), UserId: aws.Ptr(userID(c))}, nil
}

func userID(c wire.Call) string {
	if c.UserID != "" {
		return c.UserID
	}
	_, name, _ := strings.Cut(c.Principal, ":iam::"+c.Account+":")
	if name == "" || name == "root" {
		return c.Account
	}
	return name[strings.LastIndexByte(name, '/')+1:]
}
