package main

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/vpc/path"
)

// vpcCommand is what there is to ask of networks beside AWS's own API.
type vpcCommand struct {
	Explain explainCommand `cmd:"" help:"Show where a packet goes, what it meets and which rule decides."`
}

// explainCommand prints the way of a connection.
type explainCommand struct {
	From       string `arg:"" help:"Who asks: an interface, a task, an address, or internet."`
	To         string `arg:"" help:"Who is asked."`
	Port       string `arg:"" help:"PORT or PORT/udp; icmp for an echo."`
	VPC        string `name:"vpc" help:"The VPC of an address that is in several."`
	SourcePort uint16 `help:"The port that the client chose; without it, all from 1024 to 65535 have to be allowed back." placeholder:"PORT"`
	JSON       bool   `name:"json" help:"Print JSON."`
}

// errClosed makes the exit status tell.
var errClosed = errors.New("the packet is dropped")

func (c explainCommand) Run(ctx context.Context, a *app) error {
	trace, err := explain[path.Trace](ctx, a, page{"ec2", health.ExplainPath, 1 << 20}, c.values(), c.JSON)
	return verdict("vpc explain", err, trace.Open, errClosed)
}

// values are the question as the server reads it.
func (c explainCommand) values() url.Values {
	port, protocol, cut := strings.Cut(c.Port, "/")
	switch {
	case c.Port == "icmp":
		port, protocol = "", "icmp"
	case !cut:
		protocol = "tcp"
	}
	v := url.Values{"from": {c.From}, "to": {c.To}, "protocol": {strings.ToLower(protocol)}, "port": {port}}
	if c.VPC != "" {
		v.Set("vpc", c.VPC)
	}
	if c.SourcePort != 0 {
		v.Set("source-port", strconv.Itoa(int(c.SourcePort)))
	}
	return v
}
