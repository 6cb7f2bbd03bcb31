package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics makes the registry: the figures of all parts, read when somebody asks, and those of the process and of Go.
func (s *server) metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&collector{server: s},
	)
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "parley_build_info", Help: "1, with the version as label.",
		ConstLabels: prometheus.Labels{"version": buildVersion()},
	})
	build.Set(1)
	r.MustRegister(build)
	return r
}

// collector turns the parts' snapshots into metrics.
type collector struct{ server *server }

// Describe sends nothing: the collector is unchecked, and a test holds the names against docs/operations.md.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

var _ prometheus.Collector = (*collector)(nil)

// Collect takes one snapshot of each part.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	e := emitter{out}
	s := c.server
	e.network(s)
	e.connections(s)
	if s.certs != nil {
		e.certificate(s.certs)
	}
	if s.near != nil && !s.near.own {
		e.certificateEnd(s.near.current.Load().Leaf.NotAfter)
	}
	e.media(s.sfu.Stats())
	e.signaling(s.rooms.Stats())
	e.counter("audit_omitted", "Refusals that were not written to the audit log, because they were too many.", s.audit.Omitted())
	e.access(s)
	e.presence(s.presence.Stats())
	if s.turn != nil {
		e.relay(s.turn.Stats())
	}
}
