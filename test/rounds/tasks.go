package rounds

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ShortID is what an ARN ends with.
func ShortID(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// Family is that of a task definition's ARN.
func Family(arn string) string {
	name, _, _ := strings.Cut(ShortID(arn), ":")
	return name
}

// DescribeTasks describes any number of tasks, and fails when one is not there.
func DescribeTasks(ctx context.Context, c *ecs.Client, arns []string) ([]types.Task, error) {
	var all []types.Task
	for chunk := range slices.Chunk(arns, 100) {
		out, err := c.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: chunk})
		if err != nil {
			return nil, err
		}
		for _, f := range out.Failures {
			return nil, fmt.Errorf("task %s: %s", aws.ToString(f.Arn), aws.ToString(f.Reason))
		}
		all = append(all, out.Tasks...)
	}
	return all, nil
}
