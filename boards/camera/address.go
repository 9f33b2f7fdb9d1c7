package camera

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// address is where a stream is, with what must not be shown kept apart.
type address struct {
	request        url.URL // without credentials
	user, password string
	hasUser        bool
	// shown is for names and errors: it always has a port, never a user, a query
	// or a path that looks like it holds a password.
	shown string
}

// ports are the usual ones.
var ports = map[string]string{"http": "80", "https": "443", "rtsp": "554", "rtsps": "322"}

// parseAddress takes SCHEME://HOST:PORT/PATH with one of the schemes.
func parseAddress(raw string, schemes ...string) (address, error) {
	expected := strings.Join(schemes, "://HOST:PORT/PATH or ") + "://HOST:PORT/PATH"
	u, err := url.Parse(raw)
	if err != nil {
		// The error of url.Parse repeats the address with its credentials.
		return address{}, fmt.Errorf("camera: the address cannot be parsed (expected is %s)", expected)
	}
	if !slices.Contains(schemes, u.Scheme) || u.Hostname() == "" {
		return address{}, fmt.Errorf("camera: the address is not %s", expected)
	}
	port := ports[u.Scheme]
	a := address{request: *u, hasUser: u.User != nil}
	a.request.User, a.request.Fragment = nil, ""
	a.user = u.User.Username()
	a.password, _ = u.User.Password()
	if u.Port() != "" {
		port = u.Port()
	}
	path := u.EscapedPath()
	for _, secret := range []string{"pass", "pwd", "token"} { // cheap cameras put them there
		if strings.Contains(strings.ToLower(path), secret) {
			path = "/…"
		}
	}
	a.shown = fmt.Sprintf("%s://%s%s", u.Scheme, net.JoinHostPort(u.Hostname(), port), path)
	return a, nil
}

// reason returns what went wrong, without the address that net/http puts in
// front and without the secrets of this one.
func (a address) reason(err error) string {
	var withURL *url.Error
	for errors.As(err, &withURL) {
		err = withURL.Err
	}
	text := err.Error()
	for _, secret := range []string{a.password, a.request.RawQuery} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}
