package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/cmd/berth/sample"
	"github.com/berth-ecs/berth/cmd/berth/tryout"
	"github.com/berth-ecs/berth/internal/config"
)

// sample runs the sample service and says what it did.
func (a *app) sample(ctx context.Context, launch string) error {
	api, err := a.ecs()
	if err != nil {
		return err
	}
	a.printf("\n")
	s := sample.Sample{API: api, EC2: a.ec2, Cluster: a.settings.Cluster, Launch: types.LaunchType(launch), Load: a.loadSampleImage, Log: a.taskLog, Out: a.stdout}
	if !tryout.There(a.settings.DataDir) { // else public addresses are known to the machines alone
		s.ELB, s.Get = a.elb, sample.Fetch
	}
	_, err = s.Run(ctx)
	if err != nil {
		return err
	}
	a.printf("\nPoint a shell's AWS tools at it:\n\n    eval \"$(%s env)\"\n    aws ecs list-tasks --service-name %s\n", os.Args[0], sample.Service)
	return nil
}

// loadSampleImage makes the image of the program that was built beside this one and hands it to the node.
func (a *app) loadSampleImage(ctx context.Context, _ string) (err error) {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	program := filepath.Join(filepath.Dir(exe), "sampleweb")
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("%w (make build puts it beside berth)", err)
	}
	dir, err := os.MkdirTemp(a.settings.DataDir, "sample-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	archive := filepath.Join(dir, "web.tar")
	if err := sample.WriteImage(program, archive); err != nil {
		return err
	}
	nodes := []config.Settings{a.settings}
	if tryout.There(a.settings.DataDir) {
		r, err := a.tryout()
		if err != nil {
			return err
		}
		if nodes, err = r.Nodes(); err != nil {
			return err
		}
	}
	for _, s := range nodes {
		if err := a.parts.load(ctx, s, archive); err != nil {
			return err
		}
	}
	return nil
}

// taskLog shows what a task printed.
func (a *app) taskLog(ctx context.Context, task string, w io.Writer) error {
	id := task[strings.LastIndexByte(task, '/')+1:]
	return a.parts.readLog(ctx, a.machineOf(id), logQuery{Task: id}, w)
}
