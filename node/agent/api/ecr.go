package api

import (
	"context"
	"errors"
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// GetAuthorizationToken asks for a password of an account's registry; the client's signer must sign for ECR.
func (c *Client) GetAuthorizationToken(ctx context.Context, account string) (token string, expires time.Time, err error) {
	out, err := call(ctx, c, shape.OpGetAuthorizationToken, &shape.GetAuthorizationTokenRequest{RegistryIds: []string{account}})
	if err != nil {
		return "", time.Time{}, err
	}
	if len(out.AuthorizationData) != 1 || out.AuthorizationData[0].AuthorizationToken == nil {
		return "", time.Time{}, errors.New("missing AuthorizationData in ECR response for " + account)
	}
	d := out.AuthorizationData[0]
	return *d.AuthorizationToken, aws.Val(d.ExpiresAt).Time, nil
}
