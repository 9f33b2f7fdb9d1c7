package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates and keeps all files in a folder.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.key, a.cert = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	return a
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name+".pem") }

// issue writes NAME.pem and NAME-key.pem.
func (a *authority) issue(name string, template, parent *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	signer := a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name: {Type: "CERTIFICATE", Bytes: der}, name + "-key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(a.path(file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, cert
}

// server makes the settings of a broker that wants certificates of this authority.
func (a *authority) server() *tls.Config {
	a.t.Helper()
	a.issue("broker", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, a.cert)
	pair, err := tls.LoadX509KeyPair(a.path("broker"), a.path("broker-key"))
	if err != nil {
		a.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
}

func (a *authority) client() {
	a.issue("client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, a.cert)
}

func TestTLS(t *testing.T) {
	ours, other := newAuthority(t), newAuthority(t)
	ours.client()
	b := brokerAt(t, "127.0.0.1:0", ours.server(), nil, nil)
	secure := func(ca, client string) func(*Config) {
		return func(c *Config) {
			c.Broker, c.CAFile = "mqtts://"+b.address, ca
			if client != "" {
				c.CertFile, c.KeyFile = ours.path(client), ours.path(client+"-key")
			}
		}
	}
	good := run(t, b.address, secure(ours.path("ca"), "client"), nil)
	wait(t, "a connection with certificates", func() bool { return good.Stats().Connected })
	for name, tt := range map[string]struct {
		change func(*Config)
		told   string
	}{
		"another authority":         {secure(other.path("ca"), "client"), "certificate signed by unknown authority"},
		"no authority":              {secure("", "client"), "certificate signed by unknown authority"},
		"no certificate of our own": {secure(ours.path("ca"), ""), "certificate required"},
		"no TLS":                    {func(*Config) {}, "failed to connect"},
	} {
		bad := run(t, b.address, tt.change, nil)
		wait(t, name, func() bool { return strings.Contains(bad.said(), tt.told) })
		if bad.Stats().Connections != 0 {
			t.Errorf("%s: connected", name)
		}
		bad.end()
	}
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty, garbage := write("empty", "\n"), write("garbage", "no certificate")
	for want, change := range map[string]func(*Config){
		"broker: not an address":                 func(c *Config) { c.Broker = "http://x" },
		"broker: holds a user name":              func(c *Config) { c.Broker = "mqtt://me:secret@x" },
		"broker: certificates are given":         func(c *Config) { c.CAFile = garbage },
		"password: password_file is given":       func(c *Config) { c.Username, c.Password, c.PasswordFile = "a", "b", "c" },
		"username: missing":                      func(c *Config) { c.Password = "b" },
		"cert_file: a certificate needs":         func(c *Config) { c.Broker, c.CertFile = "mqtts://x", "c" },
		"id: \"a b\"":                            func(c *Config) { c.ID = "a b" },
		"topic: \"a/#\"":                         func(c *Config) { c.Topic = "a/#" },
		"discovery_prefix: \"\"":                 func(c *Config) { c.DiscoveryPrefix = "" },
		"every: 0s":                              func(c *Config) { c.Every = 0 },
		"image_every: 10ms":                      func(c *Config) { c.ImageEvery = 10 * time.Millisecond },
		"queue: 0":                               func(c *Config) { c.Queue = 0 },
		"password_file: open":                    func(c *Config) { c.Username, c.PasswordFile = "a", filepath.Join(dir, "none") },
		"want one line with the password":        func(c *Config) { c.Username, c.PasswordFile = "a", empty },
		"ca_file: open":                          func(c *Config) { c.Broker, c.CAFile = "mqtts://x", filepath.Join(dir, "none") },
		"holds no certificate in PEM":            func(c *Config) { c.Broker, c.CAFile = "mqtts://x", garbage },
		"cert_file, key_file: tls: failed to fi": func(c *Config) { c.Broker, c.CertFile, c.KeyFile = "mqtts://x", garbage, garbage },
	} {
		c := DefaultConfig()
		c.Broker = "mqtt://x"
		change(&c)
		if client, err := New(c, Options{}); err == nil || client != nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
