package mqtt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kind is the type that Home Assistant's documentation gives a field.
type kind int

const (
	str kind = iota
	template
	topic // one that Home Assistant subscribes to, or publishes at
	boolean
	float
	integer
	list
	mapping
)

// entity are the fields that its documentation lists for every MQTT entity
// (https://www.home-assistant.io/integrations/sensor.mqtt/ and its siblings, read
// in 2026), without those that exclude each other with availability_topic.
var entity = map[string]kind{
	"platform": str, "unique_id": str, "name": str, "icon": str, "entity_category": str, "enabled_by_default": boolean,
	"encoding": str, "qos": integer, "availability_topic": topic, "availability_template": template, "payload_available": str,
	"payload_not_available": str, "json_attributes_topic": topic, "json_attributes_template": template, "entity_picture": str,
	"default_entity_id": str,
}

// platforms are the further fields of each platform that is used here, the
// required ones apart. From the pages sensor.mqtt, binary_sensor.mqtt, event.mqtt,
// image.mqtt, select.mqtt, number.mqtt and switch.mqtt.
var platforms = map[string]struct {
	required []string
	fields   map[string]kind
}{
	"sensor": {[]string{"state_topic"}, map[string]kind{"state_topic": topic, "device_class": str, "state_class": str, "unit_of_measurement": str,
		"value_template": template, "suggested_display_precision": integer, "expire_after": integer, "force_update": boolean,
		"last_reset_value_template": template, "options": list}},
	"binary_sensor": {[]string{"state_topic"}, map[string]kind{"state_topic": topic, "device_class": str, "value_template": template,
		"payload_on": str, "payload_off": str, "expire_after": integer, "force_update": boolean, "off_delay": integer}},
	"event": {[]string{"state_topic", "event_types"}, map[string]kind{"state_topic": topic, "event_types": list, "device_class": str,
		"value_template": template}},
	"image": {[]string{"image_topic"}, map[string]kind{"image_topic": topic, "content_type": str, "image_encoding": str}},
	"select": {[]string{"command_topic", "options"}, map[string]kind{"command_topic": topic, "options": list, "state_topic": topic,
		"value_template": template, "command_template": template, "optimistic": boolean, "retain": boolean}},
	"number": {[]string{"command_topic"}, map[string]kind{"command_topic": topic, "state_topic": topic, "value_template": template,
		"command_template": template, "device_class": str, "min": float, "max": float, "step": float, "mode": str, "unit_of_measurement": str,
		"optimistic": boolean, "retain": boolean, "payload_reset": str}},
	"switch": {[]string{"command_topic"}, map[string]kind{"command_topic": topic, "state_topic": topic, "value_template": template,
		"command_template": template, "payload_on": str, "payload_off": str, "state_on": str, "state_off": str, "device_class": str,
		"optimistic": boolean, "retain": boolean}},
}

// The values that fields may have, from the same pages and those of the entities
// (https://www.home-assistant.io/integrations/sensor/#device-class and so on):
// device classes with the units that they go with.
var (
	units = map[string][]string{"temperature": {"°C", "°F", "K"}, "battery": {"%"}, "duration": {"d", "h", "min", "s", "ms", "µs"}}
	// values of other fields by platform, "" for any.
	values = map[string][]string{
		"entity_category": {"config", "diagnostic"}, "state_class": {"measurement", "total", "total_increasing"}, "mode": {"auto", "box", "slider"},
		"binary_sensor.device_class": {"problem", "motion", "occupancy", "presence"}, "content_type": {"image/jpeg", "image/png"},
	}
)

// check compares a value with its documented type.
func (k kind) check(v any) error {
	switch v := v.(type) {
	case string:
		switch {
		case k == str && v != "":
			return nil
		case k == template && strings.HasPrefix(v, "{{ value_json.") && strings.HasSuffix(v, " }}"):
			return nil
		case k == topic && v != "" && !strings.ContainsAny(v, "+#\x00"):
			return nil
		}
	case float64:
		if k == float || k == integer && v == float64(int(v)) {
			return nil
		}
	case []any:
		if k == list && len(v) > 0 {
			return nil
		}
	case map[string]any:
		if k == mapping {
			return nil
		}
	case bool:
		if k == boolean {
			return nil
		}
	}
	return fmt.Errorf("%v (%T) is not what is documented (kind %d)", v, v, k)
}

func payload(t *testing.T, change func(*Config), i Info) map[string]any {
	t.Helper()
	c := DefaultConfig()
	c.ID, c.Controls = "box", true
	if change != nil {
		change(&c)
	}
	text, err := announce(c, topicsOf(c), i)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// Every field is one that Home Assistant documents for that platform, of its type; every required one is there.
func TestDiscoveryIsAsDocumented(t *testing.T) {
	m := payload(t, nil, Info{Model: "Pi", Software: "1.0", Page: "http://box:8080", Variants: []string{"a", "b"}, Policies: []string{"fixed"}, Battery: true})
	// https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload: device, origin and components are required;
	// availability, qos, encoding, state_topic and command_topic may be shared.
	root := map[string]kind{"device": mapping, "origin": mapping, "components": mapping, "availability_topic": topic, "qos": integer}
	known(t, "payload", m, root, "device", "origin", "components")
	known(t, "device", m["device"], map[string]kind{"identifiers": list, "name": str, "manufacturer": str, "model": str, "model_id": str, "sw_version": str,
		"hw_version": str, "serial_number": str, "suggested_area": str, "via_device": str, "configuration_url": str, "connections": list}, "identifiers")
	known(t, "origin", m["origin"], map[string]kind{"name": str, "sw_version": str, "support_url": str}, "name")
	ids := map[any]bool{}
	for name, v := range m["components"].(map[string]any) {
		c := v.(map[string]any)
		p, ok := platforms[c["platform"].(string)]
		if !ok {
			t.Errorf("%s: platform %v", name, c["platform"])
			continue
		}
		fields := maps.Clone(entity)
		maps.Copy(fields, p.fields)
		known(t, name, c, fields, append([]string{"platform", "unique_id"}, p.required...)...)
		if ids[c["unique_id"]] {
			t.Errorf("%s: unique_id %v stands twice", name, c["unique_id"])
		}
		ids[c["unique_id"]] = true
		if class, ok := c["device_class"].(string); ok && c["platform"] != "binary_sensor" && !slices.Contains(units[class], fmt.Sprint(c["unit_of_measurement"])) {
			t.Errorf("%s: unit %v does not go with device class %s", name, c["unit_of_measurement"], class)
		}
		for field, of := range values {
			platform, bare, dotted := strings.Cut(field, ".")
			if !dotted {
				bare = field
			} else if platform != c["platform"] {
				continue
			}
			if v, ok := c[bare]; ok && !slices.Contains(of, fmt.Sprint(v)) {
				t.Errorf("%s: %s is %v, want one of %v", name, bare, v, of)
			}
		}
		// Of sensors and binary sensors, the category config is refused.
		if s := c["platform"]; (s == "sensor" || s == "binary_sensor") && c["entity_category"] == "config" {
			t.Errorf("%s: a sensor in the category config", name)
		}
	}
}

func known(t *testing.T, what string, v any, fields map[string]kind, required ...string) {
	t.Helper()
	m := v.(map[string]any)
	for field, value := range m {
		k, ok := fields[field]
		if !ok {
			t.Errorf("%s: %s is not documented", what, field)
		} else if err := k.check(value); err != nil {
			t.Errorf("%s: %s: %v", what, field, err)
		}
	}
	for _, field := range required {
		if _, ok := m[field]; !ok {
			t.Errorf("%s: %s is required", what, field)
		}
	}
}

// The templates read fields that the messages have, and switches and selects understand what they show.
func TestDiscoveryFitsTheMessages(t *testing.T) {
	m := payload(t, nil, info)
	messages := map[string]map[string]any{}
	for topic, v := range map[string]any{
		"fathom/box/state":    State{},
		"fathom/box/settings": Settings{Policy: "fixed", LeastDepth: "a", GreatestDepth: "b"},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		messages[topic] = fields
	}
	for name, v := range m["components"].(map[string]any) {
		c := v.(map[string]any)
		tmpl, ok := c["value_template"].(string)
		if !ok {
			continue
		}
		field := strings.TrimSuffix(strings.TrimPrefix(tmpl, "{{ value_json."), " }}")
		value, there := messages[c["state_topic"].(string)][field]
		if !there {
			t.Errorf("%s: %v has no field %s", name, c["state_topic"], field)
		}
		switch c["platform"] {
		case "select":
			if options := c["options"].([]any); !slices.Contains(options, value) {
				t.Errorf("%s: shows %v, which is none of %v", name, value, options)
			}
		case "switch", "binary_sensor":
			if value != c["payload_on"] && value != c["payload_off"] {
				t.Errorf("%s: shows %v", name, value)
			}
		}
		if set, ok := c["command_topic"].(string); ok {
			if _, err := ParseCommand(strings.TrimPrefix(set, "fathom/box/set/"), []byte("?"), info); err == nil || strings.Contains(err.Error(), "no setting") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What is not there is announced with its platform alone, which removes it.
func TestDiscoveryWithout(t *testing.T) {
	m := payload(t, func(c *Config) { c.Controls, c.ImageEvery = false, 0 }, Info{Variants: []string{"a"}, Policies: []string{"fixed"}})
	removed := map[string]any{}
	for name, v := range m["components"].(map[string]any) {
		if c := v.(map[string]any); len(c) == 1 {
			removed[name] = c["platform"]
		}
	}
	want := map[string]any{"battery": "sensor", "image": "image", "policy": "select", "least_depth": "select", "greatest_depth": "select",
		"fps": "number", "ceiling": "number", "paused": "switch"}
	if diff := cmp.Diff(want, removed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(fmt.Sprint(m), "/set/") {
		t.Error("controls are off, and a command topic is told")
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, s := range [][2]string{{"policy", "fixed"}, {"fps", "2.5"}, {"fps", "1e999"}, {"paused", "ON"}, {"ceiling", "-0"}, {"least_depth", "b\n"}, {"", ""}, {"x", "\xff"}} {
		f.Add(s[0], []byte(s[1]))
	}
	f.Fuzz(func(t *testing.T, name string, payload []byte) {
		c, err := ParseCommand(name, payload, info)
		set := 0
		for _, is := range []bool{c.Policy != nil, c.LeastDepth != nil, c.GreatestDepth != nil, c.FPS != nil, c.Ceiling != nil, c.Paused != nil} {
			if is {
				set++
			}
		}
		if err == nil && set != 1 || err != nil && set != 0 {
			t.Fatalf("%q %q: %d settings, %v", name, payload, set, err)
		}
		if c.FPS != nil && !(*c.FPS >= leastFPS && *c.FPS <= greatestFPS) || c.Ceiling != nil && !(*c.Ceiling >= leastCeiling && *c.Ceiling <= greatestCeiling) {
			t.Fatalf("%q is out of bounds", payload)
		}
	})
}
