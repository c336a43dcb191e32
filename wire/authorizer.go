package wire

import (
	"context"
	"strings"
)

// RootOnly allows an account's root everything and everyone else only to ask who they are, which AWS never denies.
type RootOnly struct{}

var _ Authorizer = RootOnly{}

// Allow implements Authorizer.
func (RootOnly) Allow(_ context.Context, c Call, action, resource string) error {
	if action == "sts:GetCallerIdentity" || strings.HasSuffix(c.Principal, ":iam::"+c.Account+":root") {
		return nil
	}
	return Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s", c.Principal, action, resource)
}
