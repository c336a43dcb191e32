package installation

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// EC2 is a client of the region's networks.
func (i *Installation) EC2() *ec2.Client {
	return ec2.New(ec2.Options{
		Region: Region, BaseEndpoint: aws.String(i.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
	})
}
