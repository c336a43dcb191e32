package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/cmd/berth/doctor"
)

// runtimeAttribute is what a container instance says that FARGATE's tasks run on there; one that is not FARGATE's has none.
const runtimeAttribute = "berth.fargate-runtime"

const gvisor = "runsc"

// fargate says what FARGATE tasks run on, as the nodes say it: gVisor may have been installed or removed since they started.
func (a *app) fargate(ctx context.Context) error {
	api, err := a.ecs()
	if err != nil {
		return err
	}
	runtimes, err := fargateRuntimes(ctx, api, a.settings.Cluster)
	if err != nil {
		return fmt.Errorf("up: what FARGATE tasks run on: %w", err)
	}
	sandboxed, all := runtimes[gvisor], 0
	for _, n := range runtimes {
		all += n
	}
	switch {
	case all == 0:
		a.printf("fargate   no node of cluster %s offers it (setting fargate)\n", a.settings.Cluster)
	case sandboxed == all:
		a.printf("fargate   FARGATE tasks run in gVisor sandboxes\n")
	case sandboxed > 0:
		a.printf("fargate   FARGATE tasks run in gVisor sandboxes on %d nodes, on runc on %d\n", sandboxed, all-sandboxed)
	default:
		a.printf("fargate   FARGATE tasks run on runc; %s\n", a.whyRunc())
	}
	return nil
}

// whyRunc says why no task has a sandbox, and what to do for one.
func (a *app) whyRunc() string {
	if a.settings.FargateRuntime == "runc" {
		return "fargate-runtime says so"
	}
	if !doctor.CanSandbox(a.settings) {
		return "make sandbox installs gVisor"
	}
	return "gVisor was installed after the region started, which uses it after " + os.Args[0] + " down and up"
}

// fargateRuntimes counts a cluster's container instances that offer their capacity to FARGATE by what its tasks run on there.
func fargateRuntimes(ctx context.Context, api *ecs.Client, cluster string) (map[string]int, error) {
	counts := map[string]int{}
	pages := ecs.NewListContainerInstancesPaginator(api, &ecs.ListContainerInstancesInput{
		Cluster: &cluster, Filter: aws.String("attribute:" + runtimeAttribute + " exists"),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		if len(page.ContainerInstanceArns) == 0 {
			continue
		}
		out, err := api.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{Cluster: &cluster, ContainerInstances: page.ContainerInstanceArns})
		if err != nil {
			return nil, err
		}
		for _, i := range out.ContainerInstances {
			for _, attribute := range i.Attributes {
				if aws.ToString(attribute.Name) == runtimeAttribute {
					counts[aws.ToString(attribute.Value)]++
				}
			}
		}
	}
	return counts, nil
}
