// Package api is the agent's client of the ECS API: the calls an agent makes of its servers, as JSON 1.1 signed with
// signature version 4.
//
// What is guaranteed: an answer of the server that is an error is a *shape.Error with AWS's code; everything else that
// goes wrong is not. Answers are bounded before they are read.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Signer signs a request whose whole body is body.
type Signer interface {
	Sign(r *http.Request, body []byte)
}

// Client calls one endpoint. Its methods may be called at once.
type Client struct {
	Endpoint string       // required; such as http://127.0.0.1:4566
	Signer   Signer       // required
	HTTP     *http.Client // optional
	Agent    string       // optional; User-Agent
}

// maxAnswer bounds an answer.
const maxAnswer = 8 << 20

// call makes one call. extra are members that the public model of the operation does not have.
func call[In, Out any](ctx context.Context, c *Client, op aws.Operation[In, Out], in any) (*Out, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("api: %s: %w", op.Info.Name, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.Endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("api: %s: %w", op.Info.Name, err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", op.Service.TargetPrefix+"."+op.Info.Name)
	if c.Agent != "" {
		r.Header.Set("User-Agent", c.Agent)
	}
	c.Signer.Sign(r, body)
	answer, status, err := c.do(r)
	if err != nil {
		return nil, fmt.Errorf("api: %s: %w", op.Info.Name, err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("api: %s: %w", op.Info.Name, failure(status, answer))
	}
	out := new(Out)
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, fmt.Errorf("api: %s: answer: %w", op.Info.Name, err)
	}
	return out, nil
}

func (c *Client) do(r *http.Request) (answer []byte, status int, err error) {
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = resp.Body.Close() }() // nothing is lost: it was read, or the error says why not
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = fmt.Errorf("answer is above %d bytes", maxAnswer)
	}
	return answer, resp.StatusCode, err
}

// failure reads an error of the JSON protocols. One that is not of that form has no code.
func failure(status int, answer []byte) error {
	var e struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"`
		Upper   string `json:"Message"`
	}
	if err := json.Unmarshal(answer, &e); err != nil || e.Type+e.Code == "" {
		return fmt.Errorf("status %d: %.200q", status, answer)
	}
	code := e.Type
	if code == "" {
		code = e.Code
	}
	code = code[strings.LastIndexByte(code, '#')+1:]
	if e.Message == "" {
		e.Message = e.Upper
	}
	return &aws.Error{Code: code, Message: e.Message}
}
