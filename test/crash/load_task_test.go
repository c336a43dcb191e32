package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/test/rounds"
)

// singly are the families of tasks that stay.
var singly = append(slices.Clone(rolling), fargateFamily, checkedFamily)

// taskStep runs a task that ends by itself, or one that stays, or stops one that stayed.
func (l *load) taskStep(r *rand.Rand) {
	stay := l.w.book.running()
	switch dice := r.IntN(10); {
	case dice < 5:
		code, of := int32(r.IntN(100)), exitFamily
		if dice < 2 {
			of = endingFamily
		}
		l.run(r, wish{exit: &code}, &ecs.RunTaskInput{
			TaskDefinition: aws.String(of), Count: aws.Int32(int32(rounds.Between(r, 1, 2))),
			Overrides: environ("CODE", strconv.Itoa(int(code)), "WAIT", strconv.Itoa(r.IntN(1_500_000))),
		})
	case dice < 8 && len(stay) < 5:
		l.run(r, wish{}, &ecs.RunTaskInput{TaskDefinition: aws.String(singly[r.IntN(len(singly))])})
	case len(stay) > 0:
		l.stopTask(stay[r.IntN(len(stay))])
	}
}

// run asks until there is an answer; the token makes that one RunTask.
func (l *load) run(r *rand.Rand, as wish, in *ecs.RunTaskInput) {
	of := aws.ToString(in.TaskDefinition)
	in.NetworkConfiguration, in.LaunchType = l.w.network(of), launchType(of)
	in.ClientToken = aws.String(fmt.Sprintf("run-%016x", r.Uint64()))
	var out *ecs.RunTaskOutput
	err := l.must("RunTask", func(ctx context.Context) (err error) { out, err = l.w.api.RunTask(ctx, in); return err })
	if err != nil {
		l.w.book.find("RunTask %s: %v", aws.ToString(in.TaskDefinition), err)
		return
	}
	for _, t := range out.Tasks {
		l.w.book.setTask(aws.ToString(t.TaskArn), as)
	}
	for _, f := range out.Failures {
		// A node whose agent is away takes no tasks; that is an answer.
		if reason := aws.ToString(f.Reason); reason != "AGENT" && !strings.HasPrefix(reason, "RESOURCE:") && !strings.HasPrefix(reason, noCapacity) {
			l.w.book.find("RunTask %s failed: %s %s", aws.ToString(in.TaskDefinition), reason, aws.ToString(f.Detail))
		}
	}
}

func (l *load) stopTask(arn string) {
	err := l.must("StopTask", func(ctx context.Context) error {
		_, err := l.w.api.StopTask(ctx, &ecs.StopTaskInput{Task: aws.String(arn), Reason: aws.String("the load says so")})
		return err
	})
	if err != nil {
		l.w.book.find("StopTask %s: %v", arn, err)
		return
	}
	l.w.book.setTask(arn, wish{stop: true})
}
