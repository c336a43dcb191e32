package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Admin asks an Envoy about itself.
type Admin struct{ http *http.Client }

const maxAnswer = 256 << 20

// Admin of the Envoy of a directory.
func (c Config) Admin() *Admin {
	return &Admin{&http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", c.admin())
	}, MaxIdleConns: 1}}}
}

func (a *Admin) do(ctx context.Context, method, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://envoy"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("envoy answers %s to %s", resp.Status, path)
	}
	return text, nil
}

// Close lets go of its connections.
func (a *Admin) Close() { a.http.CloseIdleConnections() }

// ReopenLogs has Envoy open its access logs anew.
func (a *Admin) ReopenLogs(ctx context.Context) error {
	_, err := a.do(ctx, http.MethodPost, "/reopen_logs")
	return err
}

// Flight is what is in flight to a target.
type Flight struct {
	Cluster string
	Addr    netip.AddrPort
	// Requests and Connections that are under way.
	Requests, Connections int64
}

// Flights answers what is in flight to every target that Envoy has.
func (a *Admin) Flights(ctx context.Context) ([]Flight, error) {
	text, err := a.do(ctx, http.MethodGet, "/clusters?format=json")
	if err != nil {
		return nil, err
	}
	return flights(text)
}

func flights(text []byte) (out []Flight, err error) {
	type number struct {
		Name  string
		Value json.Number
	}
	var page struct {
		Clusters []struct {
			Name  string
			Hosts []struct {
				Address struct {
					Socket struct {
						Address string
						Port    uint16 `json:"port_value"`
					} `json:"socket_address"`
				}
				Stats []number
			} `json:"host_statuses"`
		} `json:"cluster_statuses"`
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return nil, fmt.Errorf("envoy's clusters: %w", err)
	}
	for _, c := range page.Clusters {
		for _, h := range c.Hosts {
			addr, err := netip.ParseAddr(h.Address.Socket.Address)
			if err != nil {
				continue // the relay's own cluster is a path
			}
			f := Flight{Cluster: c.Name, Addr: netip.AddrPortFrom(addr, h.Address.Socket.Port)}
			for _, s := range h.Stats {
				n, _ := s.Value.Int64() // nothing is said of zero
				switch s.Name {
				case "rq_active":
					f.Requests = n
				case "cx_active":
					f.Connections = n
				}
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// Totals are what Envoy has counted of a cluster since it began.
type Totals struct {
	Requests, Errors, Connections, Bytes int64
	LatencySum                           float64 // seconds
}

// counters that are asked for, as Envoy calls them.
const counters = "upstream_(rq_total|rq_5xx|rq_xx|cx_total|cx_connect_fail|cx_rx_bytes_total|cx_tx_bytes_total|rq_time)$"

// Counters answers what was counted, by the names of clusters in counters (Counted).
func (a *Admin) Counters(ctx context.Context) (map[string]Totals, error) {
	text, err := a.do(ctx, http.MethodGet, "/stats/prometheus?usedonly&text_readouts=off&filter="+strings.ReplaceAll(counters, "|", "%7C"))
	if err != nil {
		return nil, err
	}
	return totals(string(text)), nil
}

// Counted is what a cluster is called where Envoy counts.
func Counted(cluster string) string {
	return strings.NewReplacer("://", "_", ":/", "_", ":", "_").Replace(cluster)
}

const nameLabel = `envoy_cluster_name="`

func totals(text string) map[string]Totals {
	out := map[string]Totals{}
	for line := range strings.Lines(text) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), "} ")
		name, labels, labelled := strings.Cut(series, "{")
		if !ok || !labelled || line[0] == '#' {
			continue
		}
		_, rest, has := strings.Cut(labels, nameLabel)
		cluster, _, _ := strings.Cut(rest, `"`)
		n, err := strconv.ParseFloat(value, 64)
		if !has || err != nil {
			continue
		}
		t := out[cluster]
		t.add(name, labels, n)
		out[cluster] = t
	}
	return out
}

func (t *Totals) add(name, labels string, n float64) {
	switch strings.TrimPrefix(name, "envoy_cluster_upstream_") {
	case "rq_total":
		t.Requests += int64(n)
	case "rq_xx":
		if strings.Contains(labels, `envoy_response_code_class="5"`) {
			t.Errors += int64(n)
		}
	case "cx_connect_fail":
		t.Errors += int64(n)
	case "cx_total":
		t.Connections += int64(n)
	case "cx_rx_bytes_total", "cx_tx_bytes_total":
		t.Bytes += int64(n)
	case "rq_time_sum":
		t.LatencySum += n / 1000
	}
}
