package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/elb/route"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/wire/sigv4"
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
	signer, err := a.rootSigner("elasticloadbalancing")
	if err != nil {
		return fmt.Errorf("lb explain: %w", err)
	}
	answer, err := c.ask(ctx, a.settings.Endpoint(), signer)
	if err != nil {
		return fmt.Errorf("lb explain: %w", err)
	}
	if c.JSON {
		out := json.NewEncoder(a.stdout)
		out.SetIndent("", "  ")
		err = out.Encode(answer)
	} else {
		_, err = io.WriteString(a.stdout, answer.Text())
	}
	if err == nil && !answer.Served {
		err = fmt.Errorf("lb explain: %w", errUnserved)
	}
	return err
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

func (c lbExplainCommand) ask(ctx context.Context, endpoint string, signer sigv4.Signer) (route.Answer, error) {
	var answer route.Answer
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+health.LBExplainPath+"?"+c.values().Encode(), nil)
	if err != nil {
		return answer, err
	}
	signer.Sign(r, nil, clock.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	switch {
	case err != nil:
		return answer, err
	case resp.StatusCode != http.StatusOK:
		return answer, errors.New(strings.TrimSpace(string(body)))
	}
	return answer, json.Unmarshal(body, &answer)
}
