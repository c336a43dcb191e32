package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

type logsCommand struct {
	Task      string `arg:"" help:"Task id or ARN."`
	Container string `arg:"" optional:"" help:"Container name; default: all of the task's."`
	Follow    bool   `short:"f" help:"Go on until you stop it."`
}

var taskIDRule = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (c logsCommand) Run(ctx context.Context, a *app) error {
	id := c.Task[strings.LastIndexByte(c.Task, '/')+1:]
	if !taskIDRule.MatchString(id) {
		return fmt.Errorf("logs: %q is neither a task id (32 hexadecimal digits) nor a task's ARN", c.Task)
	}
	if err := a.parts.readLog(ctx, a.machineOf(id), logQuery{Task: id, Container: c.Container, Follow: c.Follow}, a.stdout); err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	return nil
}
