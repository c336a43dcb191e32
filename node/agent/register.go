package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/node/agent/backoff"
	"github.com/berth-ecs/berth/node/agent/db"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// registering is patient at first, because servers and nodes often start together.
var registering = backoff.Policy{First: 100 * time.Millisecond, Most: 30 * time.Second, Factor: 1.5, Jitter: 0.2}

// callTimeout bounds one call.
const callTimeout = 30 * time.Second

// errRefused is a registration that will never work.
var errRefused = errors.New("registration refused")

// register registers until a server accepts, and writes down who the node is then.
func (a *Agent) register(ctx context.Context) (string, error) {
	token := a.newID()
	for n := 0; ; n++ {
		arn, err := a.tryRegister(ctx, token)
		if err == nil || errors.Is(err, errRefused) {
			return arn, err
		}
		a.log.Warn("cannot register; will try again", "endpoint", a.cfg.Endpoint, "cluster", a.cfg.Cluster, "error", err)
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(registering.Wait(n, rand.Float64())): //nolint:gosec // jitter
		}
	}
}

func (a *Agent) tryRegister(ctx context.Context, token string) (string, error) {
	known, err := a.db.Instance()
	if err != nil {
		return "", err
	}
	resources, err := a.resources()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errRefused, err)
	}
	in := &shape.RegisterContainerInstanceRequest{
		Cluster: &a.cfg.Cluster, TotalResources: resources, Attributes: a.attributes(known.ARN == ""),
		VersionInfo: &shape.VersionInfo{
			AgentVersion: &a.cfg.Version, AgentHash: &a.cfg.Hash, DockerVersion: aws.Ptr("containerd"),
		},
	}
	if known.ARN != "" {
		in.ContainerInstanceArn = &known.ARN
	} else {
		in.Tags = tags(a.cfg.Tags)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := a.api.RegisterContainerInstance(ctx, token, in)
	if a.clusterMissing(err) {
		a.log.Info("making the cluster", "cluster", a.cfg.Cluster)
		if err := a.api.CreateCluster(ctx, a.cfg.Cluster); err != nil {
			return "", err
		}
		out, err = a.api.RegisterContainerInstance(ctx, token, in)
	}
	if err != nil {
		return "", a.refused(known, err)
	}
	if err := echoed(in.Attributes, out.Attributes); err != nil {
		return "", err
	}
	arn := aws.Val(out.ContainerInstanceArn)
	if arn == "" {
		return "", errors.New("agent: the server answered no containerInstanceArn")
	}
	a.learn(out.Attributes)
	if known.ARN == arn {
		return arn, nil
	}
	return arn, a.db.SetInstance(db.Instance{ARN: arn, Cluster: a.cfg.Cluster})
}

// clusterMissing tells whether a registration failed because there is no such cluster. A node makes the cluster it was given by
// name, as the stock agent makes "default".
func (a *Agent) clusterMissing(err error) bool {
	var e *aws.Error
	return errors.As(err, &e) && strings.EqualFold(e.Message, "Cluster not found.") && !strings.HasPrefix(a.cfg.Cluster, "arn:")
}

// refused judges a failed registration. A server that does not know this instance any more, because its own state is
// gone, gets a new one; the tasks of the old one are stopped by the first manifest.
func (a *Agent) refused(known db.Instance, err error) error {
	var e *aws.Error
	if !errors.As(err, &e) {
		return err
	}
	gone := strings.Contains(e.Message, "container instance") || strings.Contains(e.Message, "not found")
	switch {
	case known.ARN != "" && gone && !strings.Contains(strings.ToLower(e.Message), "cluster not found") &&
		!strings.Contains(e.Message, "type changes"):
		a.log.Warn("the server does not know this container instance; registering as a new one", "instance", known.ARN, "error", err)
		return errors.Join(err, a.db.Reset())
	case e.Code == shape.CodeInvalidParameterException:
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// echoed checks that the server took every attribute as it was sent.
func echoed(sent, got []shape.Attribute) error {
	have := map[string]string{}
	for _, a := range got {
		have[aws.Val(a.Name)] = aws.Val(a.Value)
	}
	for _, a := range sent {
		if v, ok := have[aws.Val(a.Name)]; !ok || v != aws.Val(a.Value) {
			return fmt.Errorf("%w: attribute validation failed: %s was not answered as it was sent", errRefused, aws.Val(a.Name))
		}
	}
	return nil
}

// learn takes the zone that the server decided.
func (a *Agent) learn(attributes []shape.Attribute) {
	for _, attribute := range attributes {
		if aws.Val(attribute.Name) == "ecs.availability-zone" {
			zone := aws.Val(attribute.Value)
			a.zone.Store(&zone)
		}
	}
}

func tags(in map[string]string) []shape.Tag {
	var out []shape.Tag
	for _, k := range slices.Sorted(maps.Keys(in)) {
		out = append(out, shape.Tag{Key: aws.Ptr(k), Value: aws.Ptr(in[k])})
	}
	return out
}
