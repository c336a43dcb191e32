package main

import (
	"context"
	"errors"
	"net/url"

	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/elb/route"
)

// lbCommand is what there is to ask of load balancers beside AWS's own API.
type lbCommand struct {
	Explain lbExplainCommand `cmd:"" help:"Show which listener, rule and targets a request takes, and why not others."`
}

// lbExplainCommand prints the way of a request.
type lbExplainCommand struct {
	Name   string   `arg:"" help:"The load balancer: its name, DNS name or ARN."`
	URL    string   `arg:"" name:"url" help:"What is asked for: http://HOST/PATH, https://HOST/PATH or tcp://HOST:PORT."`
	Method string   `help:"The request's method." default:"GET"`
	Header []string `help:"A header of the request; may be given again." placeholder:"NAME: VALUE" sep:"none"`
	From   string   `help:"The client's address; without it, one that nobody has (198.51.100.1)." placeholder:"ADDRESS"`
	JSON   bool     `name:"json" help:"Print JSON."`
}

// errUnserved makes the exit status tell.
var errUnserved = errors.New("the request is not served")

func (c lbExplainCommand) Run(ctx context.Context, a *app) error {
	answer, err := explain[route.Answer](ctx, a, page{"elasticloadbalancing", health.LBExplainPath, 4 << 20}, c.values(), c.JSON)
	return verdict("lb explain", err, answer.Served, errUnserved)
}

// values are the question as the server reads it.
func (c lbExplainCommand) values() url.Values {
	v := url.Values{"name": {c.Name}, "url": {c.URL}, "method": {c.Method}}
	for _, h := range c.Header {
		v.Add("header", h)
	}
	if c.From != "" {
		v.Set("from", c.From)
	}
	return v
}
