package mqtt

import "encoding/json"

// Info is what does not change from frame to frame: what Home Assistant is told of
// the device.
type Info struct {
	// Model names the board, Software the build, and Page the address of the page for
	// a link; empty where it cannot be reached from elsewhere.
	Model    string
	Software string
	Page     string
	// Variants are the depths, shallow to deep, and Policies the names of the policies.
	Variants []string
	Policies []string
	// Battery tells that the board has one.
	Battery bool
}

// The limits of the controls, in frames per second and degrees Celsius.
const (
	leastFPS, greatestFPS         = 0.1, 120.
	leastCeiling, greatestCeiling = 30., 110.
)

const (
	on, off         = "ON", "OFF"
	online, offline = "online", "offline"
)

// announcement is Home Assistant's device discovery payload:
// https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
type announcement struct {
	Device            device               `json:"device"`
	Origin            origin               `json:"origin"`
	Components        map[string]component `json:"components"`
	AvailabilityTopic string               `json:"availability_topic"`
	QoS               int                  `json:"qos"`
}

type device struct {
	Identifiers []string `json:"identifiers"`
	Name        string   `json:"name"`
	// The rest may be empty.
	Manufacturer     string `json:"manufacturer,omitempty"`
	Model            string `json:"model,omitempty"`
	SoftwareVersion  string `json:"sw_version,omitempty"`
	ConfigurationURL string `json:"configuration_url,omitempty"`
}

type origin struct {
	Name            string `json:"name"`
	SoftwareVersion string `json:"sw_version,omitempty"`
	SupportURL      string `json:"support_url,omitempty"`
}

// component is one entity; which fields it has depends on the platform.
type component struct {
	Platform            string   `json:"platform"`
	UniqueID            string   `json:"unique_id,omitempty"`
	Name                string   `json:"name,omitempty"`
	Icon                string   `json:"icon,omitempty"`
	EntityCategory      string   `json:"entity_category,omitempty"`
	DeviceClass         string   `json:"device_class,omitempty"`
	StateClass          string   `json:"state_class,omitempty"`
	Unit                string   `json:"unit_of_measurement,omitempty"`
	Precision           *int     `json:"suggested_display_precision,omitempty"`
	StateTopic          string   `json:"state_topic,omitempty"`
	ValueTemplate       string   `json:"value_template,omitempty"`
	JSONAttributesTopic string   `json:"json_attributes_topic,omitempty"`
	CommandTopic        string   `json:"command_topic,omitempty"`
	Options             []string `json:"options,omitempty"`
	EventTypes          []string `json:"event_types,omitempty"`
	ImageTopic          string   `json:"image_topic,omitempty"`
	ContentType         string   `json:"content_type,omitempty"`
	Min                 *float64 `json:"min,omitempty"`
	Max                 *float64 `json:"max,omitempty"`
	Step                *float64 `json:"step,omitempty"`
	Mode                string   `json:"mode,omitempty"`
	PayloadOn           string   `json:"payload_on,omitempty"`
	PayloadOff          string   `json:"payload_off,omitempty"`
}

// announce builds the payload. Entities that this device does not have are sent
// with their platform alone, which removes those of an earlier configuration.
func announce(c Config, t topics, info Info) ([]byte, error) {
	id := "fathom_" + c.id()
	a := announcement{
		Device: device{Identifiers: []string{id}, Name: "Fathom " + c.id(), Manufacturer: "Fathom", Model: info.Model,
			SoftwareVersion: info.Software, ConfigurationURL: info.Page},
		Origin:            origin{Name: "fathomd", SoftwareVersion: info.Software, SupportURL: "https://github.com/fathom-edge/fathom"},
		Components:        map[string]component{},
		AvailabilityTopic: t.status,
		QoS:               1,
	}
	add := func(name string, has bool, e component) {
		if !has {
			a.Components[name] = component{Platform: e.Platform}
			return
		}
		e.UniqueID = id + "_" + name
		a.Components[name] = e
	}
	state := func(e component, field string) component {
		e.StateTopic, e.ValueTemplate = t.state, "{{ value_json."+field+" }}"
		return e
	}
	add("class", true, state(component{Platform: "sensor", Name: "Class", Icon: "mdi:eye"}, "class"))
	add("confidence", true, state(component{Platform: "sensor", Name: "Confidence", Icon: "mdi:percent", StateClass: "measurement",
		Unit: "%", Precision: new(0)}, "confidence_percent"))
	add("depth", true, state(component{Platform: "sensor", Name: "Depth", Icon: "mdi:layers-triple"}, "depth"))
	add("rate", true, state(component{Platform: "sensor", Name: "Frame rate", Icon: "mdi:speedometer", StateClass: "measurement",
		Unit: "fps", Precision: new(1), EntityCategory: "diagnostic"}, "fps"))
	add("latency", true, state(component{Platform: "sensor", Name: "Inference time", Icon: "mdi:timer-outline", DeviceClass: "duration",
		StateClass: "measurement", Unit: "ms", Precision: new(1), EntityCategory: "diagnostic"}, "latency_ms"))
	add("temperature", true, state(component{Platform: "sensor", Name: "Temperature", DeviceClass: "temperature", StateClass: "measurement",
		Unit: "°C", Precision: new(1), EntityCategory: "diagnostic"}, "temperature"))
	add("battery", info.Battery, state(component{Platform: "sensor", Name: "Battery", DeviceClass: "battery", StateClass: "measurement",
		Unit: "%", Precision: new(0), EntityCategory: "diagnostic"}, "battery"))
	problem := state(component{Platform: "binary_sensor", Name: "Problem", DeviceClass: "problem", PayloadOn: on, PayloadOff: off,
		EntityCategory: "diagnostic"}, "problem")
	problem.JSONAttributesTopic = t.problems
	add("problem", true, problem)
	add("event", true, component{Platform: "event", Name: "Sighting", Icon: "mdi:bird", StateTopic: t.event,
		EventTypes: []string{"appeared", "present", "gone"}})
	add("image", c.ImageEvery > 0, component{Platform: "image", Name: "Last sighting", ImageTopic: t.image, ContentType: "image/jpeg",
		JSONAttributesTopic: t.shown})

	control := func(e component, name string) component {
		e.EntityCategory, e.CommandTopic = "config", t.set+name
		e.StateTopic, e.ValueTemplate = t.settings, "{{ value_json."+name+" }}"
		return e
	}
	choices := info.Variants
	add("policy", c.Controls, control(component{Platform: "select", Name: "Policy", Icon: "mdi:state-machine", Options: info.Policies}, "policy"))
	add("least_depth", c.Controls, control(component{Platform: "select", Name: "Least depth", Icon: "mdi:layers-minus", Options: choices}, "least_depth"))
	add("greatest_depth", c.Controls, control(component{Platform: "select", Name: "Greatest depth", Icon: "mdi:layers-plus", Options: choices}, "greatest_depth"))
	add("fps", c.Controls, control(component{Platform: "number", Name: "Wanted frame rate", Icon: "mdi:speedometer", Unit: "fps",
		Min: new(leastFPS), Max: new(greatestFPS), Step: new(0.1), Mode: "box"}, "fps"))
	add("ceiling", c.Controls, control(component{Platform: "number", Name: "Temperature ceiling", DeviceClass: "temperature", Unit: "°C",
		Min: new(leastCeiling), Max: new(greatestCeiling), Step: new(1.), Mode: "box"}, "ceiling"))
	add("paused", c.Controls, control(component{Platform: "switch", Name: "Pause", Icon: "mdi:pause", PayloadOn: on, PayloadOff: off}, "paused"))
	return json.Marshal(a)
}
