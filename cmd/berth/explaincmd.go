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

	"github.com/berth-ecs/berth/internal/clock"
)

// page is where a server explains: signed for a service, at a path, in so many bytes at most.
type page struct {
	service, path string
	most          int64
}

// explained is an answer of a page that explains.
type explained interface{ Text() string }

// explain asks a page for an answer, as root, and prints it as text or JSON. It returns the answer for what it means.
func explain[T explained](ctx context.Context, a *app, p page, asked url.Values, asJSON bool) (answer T, err error) {
	if answer, err = ask[T](ctx, a, p, asked); err != nil {
		return answer, err
	}
	if asJSON {
		out := json.NewEncoder(a.stdout)
		out.SetIndent("", "  ")
		return answer, out.Encode(answer)
	}
	_, err = io.WriteString(a.stdout, answer.Text())
	return answer, err
}

// ask gets a page of a server; an answer that is not good is an error in the server's words.
func ask[T any](ctx context.Context, a *app, p page, asked url.Values) (answer T, err error) {
	signer, err := a.rootSigner(p.service)
	if err != nil {
		return answer, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.settings.Endpoint()+p.path+"?"+asked.Encode(), nil)
	if err != nil {
		return answer, err
	}
	signer.Sign(r, nil, clock.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, p.most))
	switch {
	case err != nil:
		return answer, err
	case resp.StatusCode != http.StatusOK:
		return answer, errors.New(strings.TrimSpace(string(body)))
	}
	return answer, json.Unmarshal(body, &answer)
}

// verdict makes the exit status of a command tell what was explained: bad unless good.
func verdict(command string, err error, good bool, bad error) error {
	if err == nil && !good {
		err = bad
	}
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}
