package installation

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Discovery is a client of the region's Cloud Map. DiscoverInstances goes where everything else does: at AWS its host is another.
func (i *Installation) Discovery() *servicediscovery.Client {
	return servicediscovery.New(servicediscovery.Options{
		Region: Region, BaseEndpoint: aws.String(i.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
		APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("OneHost", oneHost), middleware.Before)
		}},
	})
}

func oneHost(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
}
