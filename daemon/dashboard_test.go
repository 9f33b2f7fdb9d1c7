package daemon

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// Every metric of the dashboard exists, with the labels that its queries name.
func TestDashboardAsksForWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../deploy/grafana/fathom.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	known := described(t)
	name := regexp.MustCompile(`\b(fathom|process|go)_[a-z0-9_]+`)
	label := regexp.MustCompile(`[{,]([a-z]+)(?:=|!=|=~)"|by \(([a-z, ]+)\)|\{\{([a-z]+)\}\}`)
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s: id %d, %d queries, place %+v", p.Title, p.ID, len(p.Targets), p.GridPos)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			metrics := name.FindAllString(target.Expr, -1)
			if len(metrics) == 0 {
				t.Errorf("%s: %s asks for nothing", p.Title, target.Expr)
			}
			labels := []string{"instance", "le"}
			for _, m := range metrics {
				of, ok := known[strings.TrimSuffix(m, "_bucket")]
				if !ok {
					t.Errorf("%s: there is no metric %s", p.Title, m)
				}
				labels = append(labels, of...)
			}
			for _, found := range label.FindAllStringSubmatch(target.Expr+target.LegendFormat, -1) {
				for l := range strings.SplitSeq(found[1]+found[2]+found[3], ", ") {
					if !slices.Contains(labels, l) {
						t.Errorf("%s: %s has no label %s", p.Title, metrics, l)
					}
				}
			}
		}
	}
	if len(ids) < 10 {
		t.Errorf("%d panels", len(ids))
	}
}

// described are all metrics with their labels.
func described(t *testing.T) map[string][]string {
	t.Helper()
	m, _ := testMonitor(t.Output())
	if _, err := newOutputs(DefaultConfig(), m, &Watches{}, ""); err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{}
	text := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	list := make(chan *prometheus.Desc, 1000)
	m.metrics.registry.Describe(list)
	close(list)
	for d := range list {
		found := text.FindStringSubmatch(d.String())
		if found == nil {
			t.Fatalf("cannot read %s", d)
		}
		known[found[1]] = strings.Split(found[2], ",")
	}
	return known
}

// Names are as Prometheus' conventions have them: a prefix, base units, _total of what is counted.
func TestMetricNames(t *testing.T) {
	m, _ := testMonitor(t.Output())
	if _, err := newOutputs(DefaultConfig(), m, &Watches{}, ""); err != nil {
		t.Fatal(err)
	}
	families, err := m.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	notBase := regexp.MustCompile(`_(ms|milliseconds|percent|kb|mb|minutes|hours|fahrenheit)(_|$)`)
	for _, f := range families {
		name := f.GetName()
		if !strings.HasPrefix(name, "fathom_") {
			continue // of the libraries
		}
		if counts := f.GetType().String() == "COUNTER"; counts != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %s", name, f.GetType())
		}
		if notBase.MatchString(name) || strings.ToLower(name) != name || f.GetHelp() == "" {
			t.Errorf("%s: not in base units, or without help", name)
		}
	}
}
