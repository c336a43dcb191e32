package sample

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The security group of the sample, and what it lets in.
const (
	group = "berth-sample"
	port  = "8080"
)

// Calls calls operations of EC2, or of Elastic Load Balancing, and answers their XML. An error's text has AWS's code.
type Calls func(ctx context.Context, action string, q url.Values) ([]byte, error)

// prepare finds the default subnets and makes sure of the security group.
func (s *Sample) prepare(ctx context.Context) error {
	var found struct {
		Subnets []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	err := call(ctx, s.EC2, "DescribeSubnets", url.Values{"Filter.1.Name": {"default-for-az"}, "Filter.1.Value.1": {"true"}}, &found)
	if err != nil {
		return err
	}
	if len(found.Subnets) == 0 {
		return errors.New("there is no default subnet (aws ec2 create-default-vpc makes them)")
	}
	s.vpc = found.Subnets[0].VPC
	id, err := s.group(ctx, s.vpc)
	if err != nil {
		return err
	}
	s.network = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{SecurityGroups: []string{id}}}
	for _, f := range found.Subnets {
		s.network.AwsvpcConfiguration.Subnets = append(s.network.AwsvpcConfiguration.Subnets, f.ID)
	}
	return nil
}

// group answers the security group's id. What is there already is left as it is.
func (s *Sample) group(ctx context.Context, vpc string) (string, error) {
	var known struct {
		Groups []struct {
			ID string `xml:"groupId"`
		} `xml:"securityGroupInfo>item"`
	}
	err := call(ctx, s.EC2, "DescribeSecurityGroups", url.Values{
		"Filter.1.Name": {"group-name"}, "Filter.1.Value.1": {group}, "Filter.2.Name": {"vpc-id"}, "Filter.2.Value.1": {vpc},
	}, &known)
	if err != nil {
		return "", err
	}
	var made struct {
		ID string `xml:"groupId"`
	}
	if len(known.Groups) > 0 {
		made.ID = known.Groups[0].ID
	} else if err := call(ctx, s.EC2, "CreateSecurityGroup", url.Values{
		"GroupName": {group}, "GroupDescription": {"Opens the port of berth sample service"}, "VpcId": {vpc},
	}, &made); err != nil {
		return "", err
	}
	return made.ID, s.open(ctx, made.ID, port)
}

// open makes sure that a group lets everybody in at a port.
func (s *Sample) open(ctx context.Context, group, port string) error {
	err := call(ctx, s.EC2, "AuthorizeSecurityGroupIngress", url.Values{
		"GroupId": {group}, "IpPermissions.1.IpProtocol": {"tcp"}, "IpPermissions.1.FromPort": {port}, "IpPermissions.1.ToPort": {port},
		"IpPermissions.1.IpRanges.1.CidrIp": {"0.0.0.0/0"},
	}, nil)
	if err != nil && strings.Contains(err.Error(), "InvalidPermission.Duplicate") {
		err = nil
	}
	return err
}
