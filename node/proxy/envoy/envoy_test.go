package envoy

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlights(t *testing.T) {
	t.Parallel()
	got, err := flights([]byte(`{"cluster_statuses":[{"name":"relay","host_statuses":[{"address":{"pipe":{"path":"/x"}}}]},
		{"name":"p|arn","host_statuses":[{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}},
		"stats":[{"name":"cx_active","type":"GAUGE","value":"3"},{"name":"cx_total","value":"9"},{"name":"rq_active","type":"GAUGE"}]}]}]}`))
	want := []Flight{{Cluster: "p|arn", Addr: netip.MustParseAddrPort("10.0.0.1:80"), Connections: 3}}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" || err != nil {
		t.Errorf("%s, %v", d, err)
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	name := "elb/0/us-east-1/x|arn:aws:elasticloadbalancing:us-east-1:0:targetgroup/t/1"
	label := `envoy_cluster_name="` + Counted(name) + `"`
	got := totals("# TYPE envoy_cluster_upstream_rq_total counter\nenvoy_cluster_upstream_rq_total{" + label + "} 7\n" +
		"envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"5\"," + label + "} 2\nenvoy_cluster_upstream_rq_xx{envoy_response_code_class=\"2\"," + label + "} 5\n" +
		"envoy_cluster_upstream_rq_time_bucket{" + label + ",le=\"0.5\"} 7\nenvoy_cluster_upstream_rq_time_sum{" + label + "} 1500.5\n" +
		"envoy_cluster_upstream_cx_rx_bytes_total{" + label + "} 10\nenvoy_cluster_upstream_cx_tx_bytes_total{" + label + "} 5\n" +
		"envoy_cluster_upstream_cx_connect_fail{" + label + "} 1\nenvoy_cluster_upstream_cx_total{" + label + "} 4\n")
	want := map[string]Totals{Counted(name): {Requests: 7, Errors: 3, Connections: 4, Bytes: 15, LatencySum: 1.5005}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
