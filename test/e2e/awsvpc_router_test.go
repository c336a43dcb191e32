package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ownVPC is a VPC of the test's own with a subnet in the node's zone, of which only default groups and tables are.
func ownVPC(t testing.TB) (vpc, subnet string) {
	t.Helper()
	return makeVPC(t, "10.77.0.0/16", "10.77.1.0/24")
}

// The last task of a VPC leaves its router, so that the next one need not wait for another; it answers there as before.
func TestAwsvpcRouterStays(t *testing.T) {
	t.Parallel()
	vpc, sub := ownVPC(t)
	definition := register(t, private(define(t, script("idle", idle))))
	run := func() vpcTask {
		t.Helper()
		return vpcTaskOf(t, region.AwaitTask(t, startWith(t, &ecs.RunTaskInput{TaskDefinition: &definition, NetworkConfiguration: &types.NetworkConfiguration{
			AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{sub}},
		}}), "RUNNING"))
	}
	router := func() uint64 {
		t.Helper()
		info, err := os.Stat(filepath.Join(region.RunDir, "vpc", vpc))
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	first := run()
	was := router()
	stop(t, *first.TaskArn)
	if now := router(); now != was {
		t.Error("the router is another one while nobody is in it")
	}
	second := run()
	if now := router(); now != was {
		t.Error("the second task has another router")
	}
	got, err := second.fetchFrom("http://169.254.170.2/v2/metadata")
	if err != nil || !strings.Contains(got, *second.TaskArn) {
		t.Errorf("metadata: %q, %v", got, err)
	}
}
