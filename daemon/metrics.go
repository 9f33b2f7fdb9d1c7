package daemon

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// Metrics are the daemon's numbers for Prometheus, in a registry of their own.
type Metrics struct {
	registry  *prometheus.Registry
	frames    prometheus.Counter
	dropped   prometheus.Counter
	inference *prometheus.HistogramVec
	decisions *prometheus.CounterVec
	events    *prometheus.CounterVec
	prepare   prometheus.Histogram

	escalations *prometheus.CounterVec
	clockSet    prometheus.Counter
	// of the page
	answers    *prometheus.CounterVec
	turnedAway prometheus.Counter
}

func newMetrics(m *Monitor) *Metrics {
	x := &Metrics{
		registry: prometheus.NewRegistry(),
		frames: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fathom_frames_total", Help: "Frames classified."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fathom_frames_dropped_total", Help: "Frames delivered by the camera but not classified."}),
		inference: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "fathom_inference_seconds", Help: "Wall-clock time of one frame's inference, both where it was looked at twice, without preprocessing.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14), // 0.25 ms to 2 s
		}, []string{"variant"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fathom_decisions_total",
			Help: "Decisions of the governor by what they change: start, deeper, shallower, period or hold.",
		}, []string{"policy", "kind"}),
	}
	x.escalations = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fathom_escalations_total", Help: "Frames whose answer was in doubt and that a deeper variant looked at again."}, []string{"from", "to"})
	x.events = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fathom_events_total", Help: "Events told, by kind (appeared, present, gone) and class."}, []string{"kind", "class"})
	x.prepare = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "fathom_preprocess_seconds", Help: "Wall-clock time from a decoded frame to the network's input.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 2, 12)}) // 0.1 ms to 0.2 s
	x.answers = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fathom_http_requests_total", Help: "Requests to the page, its data and its controls, by the status of the answer."}, []string{"code"})
	x.turnedAway = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "fathom_http_connections_refused_total", Help: "Connections that were closed at once, since there were too many."})
	x.clockSet = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "fathom_clock_set_total", Help: "How often the wall clock was set by a second or more, which sleep of the machine looks like, too."})
	x.registry.MustRegister(x.clockSet, x.frames, x.dropped, x.inference, x.escalations, x.decisions, x.events, x.prepare, x.answers, x.turnedAway, &nowCollector{m},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return x
}

// classified is called for every frame.
func (x *Metrics) classified(r engine.Result) {
	x.frames.Inc()
	x.inference.WithLabelValues(r.Variant).Observe(r.Latency.Seconds())
	x.prepare.Observe(r.Preprocess.Seconds())
	if r.First != "" {
		x.escalations.WithLabelValues(r.First, r.Variant).Inc()
	}
}

func (x *Metrics) decided(policy, kind string) { x.decisions.WithLabelValues(policy, kind).Inc() }

func (x *Metrics) answered(code int) { x.answers.WithLabelValues(strconv.Itoa(code)).Inc() }

// MetricsHandler serves the metrics.
func (m *Monitor) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(m.metrics.registry, promhttp.HandlerOpts{})
}

// nowCollector reports what is true at the time of the scrape. What is unknown
// is absent: a temperature of 0 would be a lie.
type nowCollector struct{ monitor *Monitor }

var (
	descActive = prometheus.NewDesc("fathom_active_variant",
		"1 for the variant that classified the last frame, 0 for the others.", []string{"variant"}, nil)
	descCelsius = prometheus.NewDesc("fathom_temperature_celsius",
		"Hottest relevant zone of the board; absent while unknown.", []string{"board", "simulated"}, nil)
	descCeiling = prometheus.NewDesc("fathom_temperature_ceiling_celsius",
		"Temperature that the governor stays below; absent while unknown.", nil, nil)
	descPeriod = prometheus.NewDesc("fathom_frame_period_seconds",
		"Time between two frames that are classified, as decided.", nil, nil)
	descAccuracy = prometheus.NewDesc("fathom_accuracy_ratio",
		"Share of right labels in the last minute; absent where the source knows no truth.", nil, nil)
	descDegraded = prometheus.NewDesc("fathom_degraded",
		"1 while something does not work; /healthz says what.", nil, nil)
	descGated = prometheus.NewDesc("fathom_frames_gated_total",
		"Frames that were not classified because nothing moved.", nil, nil)
	descPaused = prometheus.NewDesc("fathom_paused",
		"1 while nothing is classified because somebody wants it so.", nil, nil)
	descCharge = prometheus.NewDesc("fathom_battery_charge_ratio",
		"State of charge, 0 to 1; absent while unknown.", nil, nil)
	descWatts = prometheus.NewDesc("fathom_power_watts",
		"Power that the board draws; absent while unknown.", nil, nil)
	descCPU = prometheus.NewDesc("fathom_cpu_ratio",
		"Share of all cores in use, by fathomd (own) and by all programs; absent while unknown.", []string{"by"}, nil)
	descFault = prometheus.NewDesc("fathom_fault",
		"1 while a part does not work, for every part that has failed since the start.", []string{"part"}, nil)
	descFaults = prometheus.NewDesc("fathom_faults_total",
		"How often a part has begun to fail.", []string{"part"}, nil)
)

// Describe implements prometheus.Collector.
func (c *nowCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descActive, descCelsius, descCeiling, descPeriod, descAccuracy, descDegraded,
		descGated, descPaused, descCharge, descWatts, descCPU, descFault, descFaults} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *nowCollector) Collect(out chan<- prometheus.Metric) {
	s := c.monitor.State()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for i, r := range s.Ladder {
		gauge(descActive, truth(i == s.Active), r.Variant)
	}
	if s.Board != nil {
		if v, known := s.Board.Heat.HottestCelsius.Get(); known {
			simulated := "false"
			if s.Board.Simulated {
				simulated = "true"
			}
			gauge(descCelsius, v, s.Board.Board, simulated)
		}
		known := func(d *prometheus.Desc, r telemetry.Reading[float64], scale float64, labels ...string) {
			if v, known := r.Get(); known {
				gauge(d, v*scale, labels...)
			}
		}
		known(descCharge, s.Board.Power.ChargePercent, 0.01)
		known(descWatts, s.Board.Power.Watts, 1)
		known(descCPU, s.Board.Load.OwnCPUPercent, 0.01, "own")
		known(descCPU, s.Board.Load.CPUPercent, 0.01, "all")
	}
	if s.Ceiling > 0 {
		gauge(descCeiling, s.Ceiling)
	}
	if s.Decision != nil {
		gauge(descPeriod, s.Decision.FramePeriod.Seconds())
	}
	if s.Accuracy != nil {
		gauge(descAccuracy, float64(s.Accuracy.Right)/float64(s.Accuracy.Of))
	}
	gauge(descDegraded, truth(s.Health.Status != HealthOK))
	gauge(descPaused, truth(s.Paused))
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	count(descGated, s.Gated)
	total, now := c.monitor.faultCounts()
	for part, n := range total {
		count(descFaults, n, part)
		gauge(descFault, truth(now[part]), part)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
