package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"
)

const (
	sessionCookie = "fathom_session"
	sessionLength = 30 * 24 * time.Hour
)

// auth knows who may do what. Whoever holds the token may do everything. A
// browser trades it for a cookie, which holds nothing but its end and a
// signature under the token, so that a new token ends all sessions.
type auth struct {
	token    string // empty: nobody can sign in
	secure   bool   // the page is served over TLS
	failures *limiter
	now      func() time.Time
}

// verdict is what a request has shown of itself.
type verdict int

const (
	anonymous verdict = iota
	signedIn
	wrongToken
	tooManyWrong // the token was not looked at
)

// judge looks at the request's Authorization header and cookie.
func (a *auth) judge(r *http.Request) verdict {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return a.try(r, token)
	}
	if c, err := r.Cookie(sessionCookie); err == nil && a.session(c.Value) {
		return signedIn
	}
	return anonymous
}

// try compares a token in constant time; wrong ones are counted for the address.
func (a *auth) try(r *http.Request, token string) verdict {
	from := origin(r)
	if a.failures.empty(from) {
		return tooManyWrong
	}
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(a.token))
	if a.token == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		a.failures.take(from)
		return wrongToken
	}
	return signedIn
}

// sign returns the value of a cookie that ends at a time: 8 bytes of seconds, and the signature.
func (a *auth) sign(end time.Time) string {
	value := binary.BigEndian.AppendUint64(nil, uint64(end.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(value, a.mac(value)...))
}

func (a *auth) mac(value []byte) []byte {
	h := hmac.New(sha256.New, []byte(a.token))
	h.Write([]byte("fathom session\x00"))
	h.Write(value)
	return h.Sum(nil)
}

// session tells whether a cookie is one of ours that has not ended.
func (a *auth) session(cookie string) bool {
	value, err := base64.RawURLEncoding.Strict().DecodeString(cookie)
	if err != nil || len(value) != 8+sha256.Size || a.token == "" {
		return false
	}
	end := time.Unix(int64(binary.BigEndian.Uint64(value)), 0)
	return hmac.Equal(value[8:], a.mac(value[:8])) && a.now().Before(end)
}

// cookie lasts until a time, or ends the session where that is zero.
func (a *auth) cookie(end time.Time) *http.Cookie {
	c := &http.Cookie{Name: sessionCookie, Path: "/", HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteStrictMode, MaxAge: -1}
	if !end.IsZero() {
		c.Value, c.MaxAge = a.sign(end), int(end.Sub(a.now())/time.Second)
	}
	return c
}

// login answers POST /api/login {"token": "..."}.
func (a *auth) login(w http.ResponseWriter, r *http.Request) {
	var given struct {
		Token string `json:"token"`
	}
	if !readJSON(w, r, &given) {
		return
	}
	if a.allow(w, a.try(r, given.Token)) {
		http.SetCookie(w, a.cookie(a.now().Add(sessionLength)))
		w.WriteHeader(http.StatusNoContent)
	}
}

// logout answers POST /api/logout.
func (a *auth) logout(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, a.cookie(time.Time{}))
	w.WriteHeader(http.StatusNoContent)
}

// allow lets those who are signed in pass, and answers all others.
func (a *auth) allow(w http.ResponseWriter, v verdict) bool {
	switch {
	case v == signedIn:
		return true
	case a.token == "":
		writeError(w, http.StatusForbidden, "no token is set, so that nothing can be changed here (fathomd token makes one; name it with token_file)")
	case v == tooManyWrong:
		w.Header().Set("Retry-After", "60")
		writeError(w, http.StatusTooManyRequests, "too many wrong tokens: wait a minute")
	case v == wrongToken:
		w.Header().Set("WWW-Authenticate", `Bearer realm="fathomd"`)
		writeError(w, http.StatusUnauthorized, "wrong token")
	default:
		w.Header().Set("WWW-Authenticate", `Bearer realm="fathomd"`)
		writeError(w, http.StatusUnauthorized, "sign in with the token of this board")
	}
	return false
}
