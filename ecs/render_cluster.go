package ecs

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ClusterCounts is what lives in a cluster, counted when an answer is rendered.
type ClusterCounts struct {
	Instances       int32
	RunningEC2      int32
	PendingEC2      int32
	RunningExternal int32
	PendingExternal int32
	RunningFargate  int32
	PendingFargate  int32

	// Services, by launch type.
	ActiveEC2        int32
	ActiveExternal   int32
	DrainingEC2      int32
	DrainingExternal int32
	ActiveFargate    int32
	DrainingFargate  int32
}

// Active are the services that are ACTIVE, whatever their launch type.
func (n ClusterCounts) Active() int32 { return n.ActiveEC2 + n.ActiveExternal + n.ActiveFargate }

// Draining are the services that drain.
func (n ClusterCounts) Draining() int32 {
	return n.DrainingEC2 + n.DrainingExternal + n.DrainingFargate
}

// RenderCluster is a cluster as DescribeClusters answers it without includes; the
// With functions add those.
func RenderCluster(c *Cluster, n ClusterCounts) shape.Cluster {
	return shape.Cluster{
		ActiveServicesCount:               aws.Ptr(n.Active()),
		CapacityProviders:                 orEmpty(c.CapacityProviders),
		ClusterArn:                        aws.Ptr(c.ARN()),
		ClusterName:                       aws.Ptr(c.Name),
		DefaultCapacityProviderStrategy:   orEmpty(c.DefaultStrategy),
		PendingTasksCount:                 aws.Ptr(n.PendingEC2 + n.PendingExternal + n.PendingFargate),
		RegisteredContainerInstancesCount: aws.Ptr(n.Instances),
		RunningTasksCount:                 aws.Ptr(n.RunningEC2 + n.RunningExternal + n.RunningFargate),
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
		{"runningEC2TasksCount", n.RunningEC2}, {"runningFargateTasksCount", n.RunningFargate},
		{"pendingEC2TasksCount", n.PendingEC2}, {"pendingFargateTasksCount", n.PendingFargate},
		{"runningExternalTasksCount", n.RunningExternal}, {"pendingExternalTasksCount", n.PendingExternal},
		{"activeEC2ServiceCount", n.ActiveEC2}, {"activeFargateServiceCount", n.ActiveFargate}, {"activeExternalServiceCount", n.ActiveExternal},
		{"drainingEC2ServiceCount", n.DrainingEC2}, {"drainingFargateServiceCount", n.DrainingFargate}, {"drainingExternalServiceCount", n.DrainingExternal},
	}
	kv := make([]shape.KeyValuePair, len(rows))
	for i, r := range rows {
		kv[i] = shape.KeyValuePair{Name: aws.Ptr(r.name), Value: aws.Ptr(decimal(r.value))}
	}
	return kv
}
