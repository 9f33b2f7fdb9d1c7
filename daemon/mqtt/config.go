package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Config says where the broker is and what it is told. An empty Broker means no MQTT.
type Config struct {
	// mqtt://host:1883, or mqtts://host:8883 for TLS; no MQTT by default. The broker must speak MQTT 5.
	Broker string `yaml:"broker"`
	// User at the broker; anonymous by default.
	Username string `yaml:"username"`
	// Password of the user. A file of its own keeps it out of the configuration.
	Password string `yaml:"password"`
	// File with the password, one line.
	PasswordFile string `yaml:"password_file"`
	// Certificates that the broker's is checked against, PEM; those of the system by default.
	CAFile string `yaml:"ca_file"`
	// Certificate of our own, PEM, where the broker wants one.
	CertFile string `yaml:"cert_file"`
	// Key of cert_file, PEM.
	KeyFile string `yaml:"key_file"`
	// Name of this device in topics and in Home Assistant; the host name by default.
	ID string `yaml:"id"`
	// What all topics begin with.
	Topic string `yaml:"topic"`
	// Announce the device, so that Home Assistant sets it up by itself.
	HomeAssistant bool `yaml:"home_assistant"`
	// Where Home Assistant looks for announcements.
	DiscoveryPrefix string `yaml:"discovery_prefix"`
	// Let whoever may publish at the broker change policy, limits and pause.
	Controls bool `yaml:"controls"`
	// How often the state is told at most; a change of class, depth or problem is told within a second.
	Every time.Duration `yaml:"every"`
	// How often a picture is sent at most; 0s for never.
	ImageEvery time.Duration `yaml:"image_every"`
	// How many events wait for a broker that is away; beyond it the oldest are dropped.
	Queue int `yaml:"queue"`
}

// DefaultConfig are the settings of an empty section.
func DefaultConfig() Config {
	return Config{Topic: "fathom", HomeAssistant: true, DiscoveryPrefix: "homeassistant",
		Every: 10 * time.Second, ImageEvery: 10 * time.Second, Queue: 1000}
}

var (
	identifier = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	topicName  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}$`)
	schemes    = []string{"mqtt", "mqtts"}
)

// Validate says what is wrong; the message begins with the field. It opens no file.
func (c Config) Validate() error {
	if c.Broker != "" {
		u, err := url.Parse(c.Broker)
		switch {
		case err != nil || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "":
			return fmt.Errorf("broker: not an address of a broker (e.g. mqtt://192.168.1.2:1883, or mqtts://broker.example:8883 for TLS)")
		case u.User != nil:
			return fmt.Errorf("broker: holds a user name (give it in username, and the password in password_file)")
		case u.Scheme != "mqtts" && (c.CAFile != "" || c.CertFile != ""):
			return fmt.Errorf("broker: certificates are given, but mqtt:// uses none (write mqtts://)")
		}
	}
	switch {
	case c.Password != "" && c.PasswordFile != "":
		return fmt.Errorf("password: password_file is given, too (drop one of them)")
	case (c.Password != "" || c.PasswordFile != "") && c.Username == "":
		return fmt.Errorf("username: missing, although there is a password")
	case (c.CertFile == "") != (c.KeyFile == ""):
		return fmt.Errorf("cert_file: a certificate needs its key_file, and the other way round")
	case c.ID != "" && !identifier.MatchString(c.ID):
		return fmt.Errorf("id: %q: want up to 64 letters, digits, _ or -", c.ID)
	case !topicName.MatchString(c.Topic):
		return fmt.Errorf("topic: %q: want words of letters, digits, _ or -, with / between them", c.Topic)
	case !topicName.MatchString(c.DiscoveryPrefix):
		return fmt.Errorf("discovery_prefix: %q: want words of letters, digits, _ or -, with / between them", c.DiscoveryPrefix)
	case c.Every < time.Second || c.Every > 24*time.Hour:
		return fmt.Errorf("every: %v: want 1s to 24h", c.Every)
	case c.ImageEvery != 0 && c.ImageEvery < time.Second || c.ImageEvery > 24*time.Hour:
		return fmt.Errorf("image_every: %v: want 1s to 24h, or 0s for never", c.ImageEvery)
	case c.Queue < 1 || c.Queue > 100_000:
		return fmt.Errorf("queue: %d: want 1 to 100000", c.Queue)
	}
	return nil
}

// id is ID, or the host name with what may not stand in a topic replaced.
func (c Config) id() string {
	if c.ID != "" {
		return c.ID
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "fathom"
	}
	name, _, _ = strings.Cut(name, ".")
	clean := strings.Map(func(r rune) rune {
		if identifier.MatchString(string(r)) {
			return r
		}
		return '-'
	}, name)
	return clean[:min(len(clean), 64)]
}

// password reads the password; nil for none.
func (c Config) password() ([]byte, error) {
	if c.PasswordFile == "" {
		return []byte(c.Password), nil
	}
	b, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("mqtt: password_file: %w", err)
	}
	p := strings.TrimRight(string(b), "\r\n")
	if p == "" || strings.ContainsAny(p, "\r\n") {
		return nil, fmt.Errorf("mqtt: password_file: %s: want one line with the password", c.PasswordFile)
	}
	return []byte(p), nil
}

// tls reads the certificates; nil for a broker without TLS.
func (c Config) tls() (*tls.Config, error) {
	if !strings.HasPrefix(c.Broker, "mqtts:") {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("mqtt: ca_file: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("mqtt: ca_file: %s: holds no certificate in PEM", c.CAFile)
		}
	}
	if c.CertFile != "" {
		own, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("mqtt: cert_file, key_file: %w", err)
		}
		t.Certificates = []tls.Certificate{own}
	}
	return t, nil
}
