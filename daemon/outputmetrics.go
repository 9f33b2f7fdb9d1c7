package daemon

import "github.com/prometheus/client_golang/prometheus"

// outputCollector reports what became of everything that was told.
type outputCollector struct{ outputs *outputs }

var (
	descLogLines = prometheus.NewDesc("fathom_log_lines_total",
		"Lines given to a log file.", []string{"log"}, nil)
	descLogDropped = prometheus.NewDesc("fathom_log_lines_dropped_total",
		"Lines that a log file had no room for.", []string{"log"}, nil)
	descLogBytes = prometheus.NewDesc("fathom_log_written_bytes_total",
		"Bytes written to a log file.", []string{"log"}, nil)
	descLogSyncs = prometheus.NewDesc("fathom_log_syncs_total",
		"How often a log file was forced onto the disk.", []string{"log"}, nil)
	descPicturesMissed = prometheus.NewDesc("fathom_snapshots_missed_total",
		"Pictures of events that could not be kept or sent.", nil, nil)
	descPictureFiles = prometheus.NewDesc("fathom_snapshots_files",
		"Pictures in the folder of snapshots.", nil, nil)
	descPictureBytes = prometheus.NewDesc("fathom_snapshots_bytes",
		"Size of the pictures in the folder of snapshots.", nil, nil)
	descWebhook = prometheus.NewDesc("fathom_webhook_events_total",
		"Events for the webhook by what became of them: delivered, refused, dropped.", []string{"result"}, nil)
	descWebhookRetries = prometheus.NewDesc("fathom_webhook_retries_total",
		"Attempts at the webhook that failed and were made again.", nil, nil)
	descWaiting = prometheus.NewDesc("fathom_queue_length",
		"What waits to be told, by receiver: webhook, mqtt.", []string{"to"}, nil)
	descMQTTConnected = prometheus.NewDesc("fathom_mqtt_connected",
		"1 while the broker is connected.", nil, nil)
	descMQTTConnections = prometheus.NewDesc("fathom_mqtt_connections_total",
		"Connections to the broker.", nil, nil)
	descMQTT = prometheus.NewDesc("fathom_mqtt_messages_total",
		"Messages to the broker by what became of them: published, dropped.", []string{"result"}, nil)
	descWishes = prometheus.NewDesc("fathom_mqtt_commands_total",
		"Commands from the broker by what became of them: done, refused.", []string{"result"}, nil)
)

// Describe implements prometheus.Collector.
func (c *outputCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descLogLines, descLogDropped, descLogBytes, descLogSyncs, descPicturesMissed, descPictureFiles,
		descPictureBytes, descWebhook, descWebhookRetries, descWaiting, descMQTTConnected, descMQTTConnections, descMQTT, descWishes} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *outputCollector) Collect(out chan<- prometheus.Metric) {
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v int64, labels ...string) {
		tell(d, prometheus.GaugeValue, float64(v), labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		tell(d, prometheus.CounterValue, float64(v), labels...)
	}
	o := c.outputs
	for field, j := range o.journals {
		s := j.Stats()
		count(descLogLines, s.Lines, field)
		count(descLogDropped, s.Dropped, field)
		count(descLogBytes, s.Bytes, field)
		count(descLogSyncs, s.Syncs, field)
	}
	count(descPicturesMissed, o.missed.Load())
	to := o.now.Load()
	if to.folder != nil {
		s := to.folder.Stats()
		gauge(descPictureFiles, int64(s.Files))
		gauge(descPictureBytes, s.Bytes)
	}
	if to.webhook != nil {
		s := to.webhook.Stats()
		count(descWebhook, s.Delivered, "delivered")
		count(descWebhook, s.Refused, "refused")
		count(descWebhook, s.Dropped, "dropped")
		count(descWebhookRetries, s.Retries)
		gauge(descWaiting, int64(s.Waiting), partWebhook)
	}
	if to.mqtt != nil {
		s := to.mqtt.Stats()
		tell(descMQTTConnected, prometheus.GaugeValue, truth(s.Connected))
		count(descMQTTConnections, s.Connections)
		count(descMQTT, s.Published, "published")
		count(descMQTT, s.Dropped, "dropped")
		count(descWishes, s.Wishes, "done")
		count(descWishes, s.Refused, "refused")
		gauge(descWaiting, int64(s.Waiting), partMQTT)
	}
}
