package web

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// contentPolicy lets the page load its own files and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard sets the headers of every answer, and refuses requests for a foreign
// host and requests that another site's page makes a browser send.
func guard(next http.Handler, allowed []string) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, "the request comes from another site's page")
	}))
	next = crossOrigin.Handler(next)
	names := ownNames(allowed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !hostAllowed(r.Host, names) {
			writeError(w, http.StatusMisdirectedRequest, "unknown host name (add it to allowed_hosts in the configuration)")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		next.ServeHTTP(w, r)
	})
}

// ownNames are the names of this machine and those that the user allows.
func ownNames(allowed []string) []string {
	names := slices.Clone(allowed)
	if name, err := os.Hostname(); err == nil && name != "" {
		names = append(names, name, name+".local")
	}
	return names
}

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// hostName is the name in a Host header.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// hostAllowed reports whether a Host header is an IP address, localhost or one
// of the names. A name that somebody else's DNS can point to us is not.
func hostAllowed(host string, names []string) bool {
	name := hostName(host)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return name == "localhost" || slices.ContainsFunc(names, func(a string) bool { return strings.EqualFold(a, name) })
}

// fromHere tells whether a request was made on this machine for this machine: on a loopback address, and under a loopback name. One
// that a reverse proxy passes on has another.
func fromHere(on net.Addr, r *http.Request) bool {
	name := hostName(r.Host)
	address, err := netip.ParseAddr(name)
	return isLoopback(on) && (name == "localhost" || err == nil && address.IsLoopback())
}
