package turn

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the REST credential scheme says SHA-1; as an HMAC it is sound
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Credentials are what a client is handed for one session.
type Credentials struct {
	Username string        // "<Unix time of expiry>:<session>"
	Password string        // base64 of HMAC-SHA1(secret, Username)
	TTL      time.Duration // from the now they were made with
}

// maxUsername is RFC 8489's limit of USERNAME, in bytes (section 14.3).
const maxUsername = 508

// Credentials makes the credentials of a session. They start allocations until now plus Config.TTL, and keep those that
// they started alive for longer. The session must not be empty.
func (s *Server) Credentials(session string, now time.Time) Credentials {
	username := strconv.FormatInt(now.Add(s.cfg.TTL).Unix(), 10) + ":" + session
	return Credentials{Username: username, Password: password(s.cfg.Secret, username), TTL: s.cfg.TTL}
}

func password(secret, username string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username)) // a hash never fails
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// parseUsername splits "<expiry>:<session>". The expiry is 1 to 12 decimal digits.
func parseUsername(username string) (expiry time.Time, session string, ok bool) {
	digits, session, found := strings.Cut(username, ":")
	if !found || session == "" || len(username) > maxUsername || len(digits) == 0 || len(digits) > 12 {
		return time.Time{}, "", false
	}
	var seconds int64
	for _, d := range []byte(digits) {
		if d < '0' || d > '9' {
			return time.Time{}, "", false
		}
		seconds = seconds*10 + int64(d-'0')
	}
	return time.Unix(seconds, 0), session, true
}
