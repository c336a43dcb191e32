package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/vpc/path"
	"github.com/berth-ecs/berth/wire/sigv4"
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
	signer, err := a.rootSigner("ec2")
	if err != nil {
		return fmt.Errorf("vpc explain: %w", err)
	}
	trace, err := c.ask(ctx, a.settings.Endpoint(), signer)
	if err != nil {
		return fmt.Errorf("vpc explain: %w", err)
	}
	if c.JSON {
		out := json.NewEncoder(a.stdout)
		out.SetIndent("", "  ")
		err = out.Encode(trace)
	} else {
		_, err = io.WriteString(a.stdout, trace.Text())
	}
	if err == nil && !trace.Open {
		err = fmt.Errorf("vpc explain: %w", errClosed)
	}
	return err
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

func (c explainCommand) ask(ctx context.Context, endpoint string, signer sigv4.Signer) (path.Trace, error) {
	var trace path.Trace
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+health.ExplainPath+"?"+c.values().Encode(), nil)
	if err != nil {
		return trace, err
	}
	signer.Sign(r, nil, clock.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return trace, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return trace, err
	case resp.StatusCode != http.StatusOK:
		return trace, errors.New(strings.TrimSpace(string(body)))
	}
	return trace, json.Unmarshal(body, &trace)
}
