package turn

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the REST credential scheme says SHA-1; as an HMAC it is sound
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// User is whom credentials are for.
type User struct {
	Identity string // relays are counted by it; empty: by the session
	Session  string // what Revoke ends; without a colon, not empty
}

// Credentials are what a client is handed for one session.
type Credentials struct {
	Username string        // "<Unix time of expiry>:<session>[:<tag of the identity>]"
	Password string        // base64 of HMAC-SHA1(secret, Username)
	TTL      time.Duration // from the now they were made with
}

// maxUsername is RFC 8489's limit of USERNAME, in bytes (section 14.3).
const maxUsername = 508

// Credentials makes the credentials of a session. They start allocations until now plus Config.TTL, and keep those that
// they started alive for longer, unless Revoke ends them.
func (s *Server) Credentials(u User, now time.Time) Credentials {
	username := strconv.FormatInt(now.Add(s.cfg.TTL).Unix(), 10) + ":" + u.Session
	if u.Identity != "" {
		username += ":" + tag(s.cfg.Secrets[0], u.Identity)
	}
	return Credentials{Username: username, Password: password(s.cfg.Secrets[0], username), TTL: s.cfg.TTL}
}

// tag stands for an identity in user names, which cross the network in the clear.
func tag(secret, identity string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("identity:" + identity)) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
}

func password(secret, username string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username)) // a hash never fails
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// parseUsername splits "<expiry>:<session>[:<identity>]". The expiry is 1 to 12 decimal digits. Without an identity the
// session stands for it.
func parseUsername(username string) (expiry time.Time, u User, ok bool) {
	digits, rest, found := strings.Cut(username, ":")
	u.Session, u.Identity, _ = strings.Cut(rest, ":")
	if u.Identity == "" {
		u.Identity = u.Session
	}
	if !found || u.Session == "" || len(username) > maxUsername || len(digits) == 0 || len(digits) > 12 {
		return time.Time{}, User{}, false
	}
	var seconds int64
	for _, d := range []byte(digits) {
		if d < '0' || d > '9' {
			return time.Time{}, User{}, false
		}
		seconds = seconds*10 + int64(d-'0')
	}
	return time.Unix(seconds, 0), u, true
}
