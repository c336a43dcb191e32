package fargate

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/berth-ecs/berth/test/installation"
)

// The interface of a task, in the answers of ECS and of EC2.
func asShown(w *world) {
	t := w.running(w.begin(w.subnet, types.AssignPublicIpEnabled))
	if len(t.Attachments) != 1 || len(t.Containers) != 1 || len(t.Containers[0].NetworkInterfaces) != 1 || t.eni.Attachment == nil || t.eni.Association == nil {
		w.Fatalf("attachments %+v, containers %+v, interface %+v", t.Attachments, t.Containers, t.eni)
	}
	a := t.Attachments[0]
	var details []string
	for _, d := range a.Details {
		details = append(details, aws.ToString(d.Name)+"="+aws.ToString(d.Value))
	}
	name := func(public string) string {
		return "ec2-" + strings.ReplaceAll(public, ".", "-") + ".compute-1.amazonaws.com"
	}
	for what, pair := range map[string][2]string{
		"attachment": {aws.ToString(a.Type) + " " + aws.ToString(a.Status), "ElasticNetworkInterface ATTACHED"},
		"details": {strings.Join(details, " "), fmt.Sprintf("subnetId=%s networkInterfaceId=%s macAddress=%s privateDnsName=%s privateIPv4Address=%s",
			w.subnet, aws.ToString(t.eni.NetworkInterfaceId), aws.ToString(t.eni.MacAddress), aws.ToString(t.eni.PrivateDnsName), t.private)},
		"container":       {aws.ToString(t.Containers[0].NetworkInterfaces[0].AttachmentId) + " " + aws.ToString(t.Containers[0].NetworkInterfaces[0].PrivateIpv4Address), aws.ToString(a.Id) + " " + t.private},
		"instance":        {aws.ToString(t.ContainerInstanceArn) + aws.ToString(t.eni.Attachment.InstanceId), ""},
		"status":          {string(t.eni.Status) + " " + string(t.eni.Attachment.Status), "in-use attached"},
		"requester":       {strconv.FormatBool(aws.ToBool(t.eni.RequesterManaged)), "true"},
		"description":     {aws.ToString(t.eni.Description), "arn:aws:ecs:us-east-1:" + installation.Account + ":attachment/" + aws.ToString(a.Id)},
		"owner":           {aws.ToString(t.eni.Association.IpOwnerId), "amazon"},
		"public name":     {aws.ToString(t.eni.Association.PublicDnsName), name(t.public)},
		"primary address": {aws.ToString(t.eni.PrivateIpAddresses[0].Association.PublicIp), t.public},
		"group":           {aws.ToString(t.eni.Groups[0].GroupId), w.group},
	} {
		if pair[0] != pair[1] {
			w.Errorf("%s: %q, want %q", what, pair[0], pair[1])
		}
	}
	for filter, value := range map[string]string{"description": aws.ToString(t.eni.Description), "association.public-ip": t.public} {
		out, err := w.ec2.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: []ec2types.Filter{{Name: &filter, Values: []string{value}}}})
		if err != nil || len(out.NetworkInterfaces) != 1 || *out.NetworkInterfaces[0].NetworkInterfaceId != *t.eni.NetworkInterfaceId {
			w.Errorf("by %s %s: %v, %+v", filter, value, err, out)
		}
	}
	w.stop(t.TaskArn)
	if end := w.berth.AwaitTask(w, *t.TaskArn, "STOPPED"); aws.ToString(end.Attachments[0].Status) != "DELETED" || detail(end, "privateIPv4Address") != t.private {
		w.Errorf("stopped, it has %+v", end.Attachments)
	}
	_, err := w.ec2.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*t.eni.NetworkInterfaceId}})
	if refused := smithy.APIError(nil); !errors.As(err, &refused) || refused.ErrorCode() != "InvalidNetworkInterfaceID.NotFound" {
		w.Errorf("the interface after its task: %v", err)
	}
}

// A public address is the pool's again when its task is over, also when berth was killed in between. The rest of the pool is taken, so that it is
// the only one that the next task can get.
func addressesComeBack(w *world) {
	first := w.running(w.begin(w.subnet, types.AssignPublicIpEnabled))
	for {
		if _, err := w.ec2.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{}); err != nil {
			if refused := smithy.APIError(nil); !errors.As(err, &refused) || refused.ErrorCode() != "InsufficientAddressCapacity" {
				w.Fatal(err)
			}
			break
		}
	}
	if out, err := w.berth.ECS.RunTask(w.Context(), w.wish(w.subnet, types.AssignPublicIpEnabled)); err == nil {
		w.Fatalf("a task has an address although none is left: %+v", out)
	}
	w.stop(first.TaskArn)
	w.berth.AwaitTask(w, *first.TaskArn, "STOPPED")
	second := w.running(w.begin(w.subnet, types.AssignPublicIpEnabled))
	if second.public != first.public {
		w.Errorf("the next task has %s, want %s", second.public, first.public)
	}
	w.answers(&web, "the next task", "http://"+second.public, "peer")
	w.stop(second.TaskArn)
	w.berth.Kill(installation.Up)
	if err := errors.Join(w.berth.Begin(installation.Up), w.berth.Ready(w.Context())); err != nil {
		w.Fatal(err)
	}
	w.berth.AwaitTask(w, *second.TaskArn, "STOPPED")
	third := w.running(w.begin(w.subnet, types.AssignPublicIpEnabled))
	if third.public != first.public {
		w.Errorf("the task after the kill has %s, want %s", third.public, first.public)
	}
	w.answers(&web, "the task after the kill", "http://"+third.public, "peer")
	w.stop(third.TaskArn)
	w.becomesSilent(question{"the address that nobody has", &web, "http://" + third.public})
}

func (w *world) wish(subnet string, public types.AssignPublicIp) *ecs.RunTaskInput {
	return &ecs.RunTaskInput{
		TaskDefinition: &w.definition, LaunchType: types.LaunchTypeFargate, NetworkConfiguration: &types.NetworkConfiguration{
			AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{subnet}, SecurityGroups: []string{w.group}, AssignPublicIp: public},
		},
	}
}
