// Package health asks a running region how it is.
//
// Guarantees: a question takes at most a second; a region that does not answer is not ready and says so in words.
package health

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/internal/ready"
)

// Paths of the pages that a server answers beside the AWS APIs.
const (
	HealthPath  = "/_berth/health"
	ReadyPath   = "/_berth/ready"
	MetricsPath = "/_berth/metrics"
	TopPath     = "/_berth/top"         // signed, root only
	ExplainPath = "/_berth/vpc/explain" // signed, root only
	// LBExplainPath: signed, root only.
	LBExplainPath = "/_berth/lb/explain"
)

// Page is the endpoint of a region.
type Page string

// Report returns the region's readiness report.
func (p Page) Report(ctx context.Context) (ready.Report, error) {
	return p.ReportBy(ctx, http.DefaultClient)
}

// ReportBy is Report by a client that reaches it.
func (p Page) ReportBy(ctx context.Context, client *http.Client) (ready.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, string(p)+ReadyPath, nil)
	if err != nil {
		return ready.Report{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return ready.Report{}, err
	}
	defer resp.Body.Close()
	var r ready.Report
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return ready.Report{}, fmt.Errorf("%s%s is not berth's: %w", p, ReadyPath, err)
	}
	return r, nil
}

// Ready reports whether the region is ready and, if not, what it is doing.
func (p Page) Ready(ctx context.Context) (isReady bool, doing string) {
	r, err := p.Report(ctx)
	if err != nil {
		return false, "starting"
	}
	return r.Ready, Doing(r)
}

// Doing words what a report waits for.
func Doing(r ready.Report) string {
	var waits []string
	for _, part := range slices.Sorted(maps.Keys(r.Waiting)) {
		waits = append(waits, part+" "+r.Waiting[part])
	}
	if len(waits) == 0 && !r.Ready {
		return "starting"
	}
	return strings.Join(waits, ", ")
}
