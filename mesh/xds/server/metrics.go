package server

import (
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	nodes     prometheus.Gauge
	responses prometheus.Counter
	resources prometheus.Counter
	refusals  prometheus.Counter
	reports   prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		nodes:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "berth_xds_nodes", Help: "Nodes whose proxies this server tells what to do."}),
		responses: counter("berth_xds_responses_total", "Messages by which nodes were told of changes."),
		resources: counter("berth_xds_resources_total", "Resources in them, with those that are gone."),
		refusals:  counter("berth_xds_refusals_total", "Messages that a node could not take."),
		reports:   counter("berth_xds_reports_total", "Reports of nodes about their proxies."),
	}
	if r != nil {
		r.MustRegister(m.nodes, m.responses, m.resources, m.refusals, m.reports)
	}
	return m
}

func (m *metrics) told(r *discovery.DeltaDiscoveryResponse) {
	m.responses.Inc()
	m.resources.Add(float64(len(r.GetResources()) + len(r.GetRemovedResources())))
}
