package ecs

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ClusterCounts is what lives in a cluster, counted when an answer is rendered.
type ClusterCounts struct {
	Services, Instances int32
	RunningEC2          int32
	PendingEC2          int32
	RunningExternal     int32
	PendingExternal     int32
	Active, Draining    int32 // services
}

// RenderCluster is a cluster as DescribeClusters answers it without includes; the
// With functions add those.
func RenderCluster(c *Cluster, n ClusterCounts) shape.Cluster {
	return shape.Cluster{
		ActiveServicesCount:               aws.Ptr(n.Active),
		CapacityProviders:                 orEmpty(c.CapacityProviders),
		ClusterArn:                        aws.Ptr(c.ARN()),
		ClusterName:                       aws.Ptr(c.Name),
		DefaultCapacityProviderStrategy:   orEmpty(c.DefaultStrategy),
		PendingTasksCount:                 aws.Ptr(n.PendingEC2 + n.PendingExternal),
		RegisteredContainerInstancesCount: aws.Ptr(n.Instances),
		RunningTasksCount:                 aws.Ptr(n.RunningEC2 + n.RunningExternal),
		ServiceConnectDefaults:            c.ServiceConnectDefaults,
		Settings:                          []shape.ClusterSetting{},
		Statistics:                        []shape.KeyValuePair{},
		Status:                            aws.Ptr(c.Status),
		Tags:                              []shape.Tag{},
	}
}

// RenderStatistics are the counts per launch type of the STATISTICS include, in
// AWS's order.
func RenderStatistics(n ClusterCounts) []shape.KeyValuePair {
	rows := []struct {
		name  string
		value int32
	}{
		{"runningEC2TasksCount", n.RunningEC2}, {"runningFargateTasksCount", 0},
		{"pendingEC2TasksCount", n.PendingEC2}, {"pendingFargateTasksCount", 0},
		{"runningExternalTasksCount", n.RunningExternal}, {"pendingExternalTasksCount", n.PendingExternal},
		{"activeEC2ServiceCount", n.Active}, {"activeFargateServiceCount", 0}, {"activeExternalServiceCount", 0},
		{"drainingEC2ServiceCount", n.Draining}, {"drainingFargateServiceCount", 0}, {"drainingExternalServiceCount", 0},
	}
	kv := make([]shape.KeyValuePair, len(rows))
	for i, r := range rows {
		kv[i] = shape.KeyValuePair{Name: aws.Ptr(r.name), Value: aws.Ptr(decimal(r.value))}
	}
	return kv
}
