package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// ecs returns a client of this region with the root keys.
func (a *app) ecs() (*ecs.Client, error) {
	keys, err := a.keys()
	if err != nil {
		return nil, err
	}
	return ecs.New(ecs.Options{
		Region:       a.settings.Region,
		BaseEndpoint: aws.String(a.settings.Endpoint()),
		Credentials:  credentials.NewStaticCredentialsProvider(keys.AccessKey, keys.SecretKey, ""),
	}), nil
}

// clusters prints one line a cluster.
func (a *app) clusters(ctx context.Context) error {
	api, err := a.ecs()
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	table := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "CLUSTER\tSTATUS\tINSTANCES\tSERVICES\tRUNNING\tPENDING")
	pages := ecs.NewListClustersPaginator(api, &ecs.ListClustersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("status: %w", err)
		}
		out, err := api.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: page.ClusterArns})
		if err != nil {
			return fmt.Errorf("status: %w", err)
		}
		for _, c := range out.Clusters {
			fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\n", aws.ToString(c.ClusterName), aws.ToString(c.Status),
				c.RegisteredContainerInstancesCount, c.ActiveServicesCount, c.RunningTasksCount, c.PendingTasksCount)
		}
	}
	return table.Flush()
}
