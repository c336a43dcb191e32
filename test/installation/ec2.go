package installation

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/wire/sigv4"
)

// EC2 is where operations of EC2 are asked for, and as whom.
type EC2 struct {
	HTTP                           *http.Client
	Endpoint, AccessKey, SecretKey string
}

// AskEC2 calls an operation of EC2 with the parameters "Name", "value", ... and reads the answer.
func (i *Installation) AskEC2(ctx context.Context, into any, action string, pairs ...string) error {
	return EC2{http.DefaultClient, i.Endpoint, AccessKey, SecretKey}.Ask(ctx, into, action, pairs...)
}

// AskELB calls an operation of Elastic Load Balancing as AskEC2 does.
func (i *Installation) AskELB(ctx context.Context, into any, action string, pairs ...string) error {
	return EC2{http.DefaultClient, i.Endpoint, AccessKey, SecretKey}.AskELB(ctx, into, action, pairs...)
}

// AskELB calls an operation of Elastic Load Balancing as Ask does.
func (e EC2) AskELB(ctx context.Context, into any, action string, pairs ...string) error {
	return e.ask(ctx, into, [2]string{"elasticloadbalancing", "2015-12-01"}, append([]string{"Action", action}, pairs...))
}

// Ask calls an operation with the parameters "Name", "value", ... and reads the answer.
func (e EC2) Ask(ctx context.Context, into any, action string, pairs ...string) error {
	return e.ask(ctx, into, [2]string{"ec2", "2016-11-15"}, append([]string{"Action", action}, pairs...))
}

// ask calls an operation of a service of a version; the first pair names it.
func (e EC2) ask(ctx context.Context, into any, service [2]string, pairs []string) error {
	q := url.Values{"Version": {service[1]}}
	for p := 0; p+1 < len(pairs); p += 2 {
		q.Set(pairs[p], pairs[p+1])
	}
	body := q.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sigv4.Signer{
		Credentials: sigv4.Credentials{AccessKey: e.AccessKey, Secret: e.SecretKey},
		Scope:       sigv4.Scope{Region: Region, Service: service[0]},
	}.Sign(r, []byte(body), time.Now())
	resp, err := e.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s", pairs[1], answer)
	}
	return xml.Unmarshal(answer, into)
}

// DefaultSubnet is the default subnet of the node's zone, and its VPC.
func (i *Installation) DefaultSubnet(ctx context.Context) (id, vpc string, err error) {
	var found struct {
		Subnets []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	err = i.AskEC2(ctx, &found, "DescribeSubnets", "Filter.1.Name", "default-for-az", "Filter.1.Value.1", "true",
		"Filter.2.Name", "availability-zone", "Filter.2.Value.1", Region+"a")
	if err == nil && len(found.Subnets) != 1 {
		err = fmt.Errorf("default subnets: %+v", found.Subnets)
	}
	if err != nil {
		return "", "", err
	}
	return found.Subnets[0].ID, found.Subnets[0].VPC, nil
}

// Private is the network of tasks in the default subnet, with a security group of the given name that lets TCP port 80 in from anywhere.
func (i *Installation) Private(ctx context.Context, group string) (*types.NetworkConfiguration, error) {
	subnet, vpc, err := i.DefaultSubnet(ctx)
	if err != nil {
		return nil, err
	}
	var made struct {
		ID string `xml:"groupId"`
	}
	if err := i.AskEC2(ctx, &made, "CreateSecurityGroup", "GroupName", group, "GroupDescription", "of a test", "VpcId", vpc); err != nil {
		return nil, err
	}
	var none struct{}
	err = i.AskEC2(ctx, &none, "AuthorizeSecurityGroupIngress", "GroupId", made.ID, "IpPermissions.1.IpProtocol", "tcp",
		"IpPermissions.1.FromPort", "80", "IpPermissions.1.ToPort", "80", "IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0")
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
		Subnets: []string{subnet}, SecurityGroups: []string{made.ID},
	}}, err
}
