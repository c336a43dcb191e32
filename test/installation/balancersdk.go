package installation

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// Balancers is a client of the region's Elastic Load Balancing.
func (i *Installation) Balancers() *elbv2.Client {
	return elbv2.New(elbv2.Options{
		Region: Region, BaseEndpoint: aws.String(i.Endpoint), Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
	})
}
