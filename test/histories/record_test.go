package histories

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// stage is what one history is about: things of names that no other history has.
type stage struct {
	*world
	name     string // of the cluster, its service and its family
	instance string
}

var (
	errOrder    = errors.New("is not linearizable")
	errNotThere = errors.New("what was made is not there")
)

// newStage makes a cluster with a service, a family of one revision and a container instance, and waits until every server answers for it.
func (w *world) newStage() (*stage, error) {
	s := &stage{world: w, name: fmt.Sprint("h", w.named.Add(1))}
	ctx, c := w.Context(), w.clients[0]
	if _, err := c.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &s.name}); err != nil {
		return nil, err
	}
	if _, err := c.RegisterTaskDefinition(ctx, s.definition()); err != nil {
		return nil, err
	}
	service := &ecs.CreateServiceInput{Cluster: &s.name, ServiceName: &s.name, TaskDefinition: aws.String(s.name + ":1"), DesiredCount: aws.Int32(0)}
	if _, err := c.CreateService(ctx, service); err != nil {
		return nil, err
	}
	i, err := c.RegisterContainerInstance(ctx, &ecs.RegisterContainerInstanceInput{Cluster: &s.name})
	if err != nil {
		return nil, err
	}
	s.instance = *i.ContainerInstance.ContainerInstanceArn
	for server := range w.clients {
		for _, kind := range []string{seeClusters, see, seeService, seeFamily} {
			switch a := s.attempt(step{kind: kind, server: server}); a.err {
			case "":
			case lost:
				return nil, fmt.Errorf("%s at %d: %s", kind, server, a.err)
			default:
				return nil, fmt.Errorf("%w: %s at %d after all was made: %s", errOrder, kind, server, a.err)
			}
		}
	}
	return s, nil
}

func (s *stage) definition() *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{Family: &s.name, ContainerDefinitions: []types.ContainerDefinition{
		{Name: aws.String("app"), Image: aws.String("app"), Memory: aws.Int32(64)}}}
}

// whenever is later than everything that was recorded: what was lost may still happen.
const whenever = math.MaxInt64 / 2

// attempt takes a step in the time that there is for one.
func (s *stage) attempt(st step) answer {
	ctx := s.Context()
	if s.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.patience)
		defer cancel()
	}
	return s.run(ctx, st)
}

// run takes a step.
func (s *stage) run(ctx context.Context, st step) (a answer) {
	var err error
	c := s.clients[st.server]
	switch st.kind {
	case makeCluster:
		_, err = c.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(s.cluster(st.x % clusters))})
	case seeClusters:
		a.clusters, err = s.seeClusters(ctx, c)
	case put:
		_, err = c.PutAttributes(ctx, &ecs.PutAttributesInput{Cluster: &s.name, Attributes: []types.Attribute{s.attribute(st.x%attributes, st.n)}})
	case putAll:
		_, err = c.PutAttributes(ctx, &ecs.PutAttributesInput{Cluster: &s.name, Attributes: []types.Attribute{s.attribute(0, st.n), s.attribute(1, st.n)}})
	case see:
		a.attributes, err = s.seeAttributes(ctx, c)
	case scale:
		var out *ecs.UpdateServiceOutput
		if out, err = c.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: &s.name, Service: &s.name, DesiredCount: aws.Int32(int32(st.n))}); err == nil {
			a.desired = int(out.Service.DesiredCount)
		}
	case seeService:
		var out *ecs.DescribeServicesOutput
		if out, err = c.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &s.name, Services: []string{s.name}}); err == nil {
			if len(out.Services) == 0 {
				return answer{err: errNotThere.Error()}
			}
			a.desired = int(out.Services[0].DesiredCount)
		}
	case register:
		var out *ecs.RegisterTaskDefinitionOutput
		if out, err = c.RegisterTaskDefinition(ctx, s.definition()); err == nil {
			a.revision = int(out.TaskDefinition.Revision)
		}
	case seeFamily:
		var out *ecs.DescribeTaskDefinitionOutput
		if out, err = c.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &s.name}); err == nil {
			a.revision = int(out.TaskDefinition.Revision)
		}
	}
	switch {
	case err != nil && s.patience > 0 && (ctx.Err() != nil || retries.IsErrorRetryable(err) == aws.TrueTernary):
		return answer{err: lost}
	case err != nil:
		return answer{err: err.Error()}
	}
	return a
}

// retries says what an SDK tries again.
var retries = retry.IsErrorRetryables(retry.DefaultRetryables)

func (s *stage) cluster(n int) string { return fmt.Sprint(s.name, "-", n) }

func (s *stage) seeClusters(ctx context.Context, c *ecs.Client) (made [clusters]bool, err error) {
	var names []string
	for n := range clusters {
		names = append(names, s.cluster(n))
	}
	out, err := c.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: names})
	if err != nil {
		return made, err
	}
	for _, k := range out.Clusters {
		for n, name := range names {
			made[n] = made[n] || *k.ClusterName == name
		}
	}
	return made, nil
}

func (s *stage) attribute(n, value int) types.Attribute {
	return types.Attribute{Name: aws.String(fmt.Sprint("a", n)), Value: aws.String(strconv.Itoa(value)), TargetId: &s.instance}
}

func (s *stage) seeAttributes(ctx context.Context, c *ecs.Client) (all [attributes]int, err error) {
	out, err := c.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{Cluster: &s.name, ContainerInstances: []string{s.instance}})
	if err != nil {
		return all, err
	}
	if len(out.ContainerInstances) == 0 {
		return all, errNotThere
	}
	for _, a := range out.ContainerInstances[0].Attributes {
		for n := range all {
			if *a.Name == fmt.Sprint("a", n) {
				if all[n], err = strconv.Atoi(*a.Value); err != nil {
					return all, err
				}
			}
		}
	}
	return all, nil
}

// drawn is what each client does.
func drawn(r *rand.Rand) [][]step {
	all := make([][]step, 3+r.IntN(3))
	for i := range all {
		for range 3 + r.IntN(5) {
			all[i] = append(all[i], step{kind: kinds[r.IntN(len(kinds))], x: r.IntN(6), n: 1 + r.IntN(4), server: r.IntN(servers)})
		}
	}
	return all
}

// record runs every client's steps, all clients at once.
func (s *stage) record(clients [][]step) []porcupine.Operation {
	var mu sync.Mutex
	var history []porcupine.Operation
	var wg sync.WaitGroup
	start := time.Now()
	for id, steps := range clients {
		wg.Go(func() {
			for _, st := range steps {
				call := time.Since(start).Nanoseconds()
				a := s.attempt(st)
				ret := time.Since(start).Nanoseconds()
				if a.err == lost {
					if !st.writes() {
						continue // nobody was told anything
					}
					ret = whenever
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: id, Input: st, Call: call, Output: a, Return: ret})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return history
}
