package main

// access is how people get in. What is off on a server is 0.
func (e emitter) access(s *server) {
	a := s.access.Stats()
	e.counters("access_tokens", "Tokens given for entering a room, by what for.", "for", map[string]uint64{
		"entry": a.Entered, "invitation": a.Invited, "knock": a.Knocked,
	})
	e.counter("access_refused", "Requests to sign in, to enter, or about a room's invitations, bans and door that were refused.", a.Refused)
	e.counter("access_limited", "Requests over the rate of their address.", a.Limited)
	if s.hosts != nil {
		h := s.hosts.Stats()
		e.counters("hosts_signed_in", "Hosts who signed in, by how.", "how", h.SignedIn)
		e.counter("hosts_wrong", "Wrong passphrases, and keys that are not good.", h.Wrong)
		e.counter("hosts_slowed", "Tries that were not looked at, because there were too many wrong ones.", h.Slowed)
	}
	if s.oidc != nil {
		e.counter("hosts_oidc_failures", "Sign-ins by OpenID Connect that failed, because of the provider or of what came back.", s.oidc.Failures())
	}
	if s.book != nil {
		b := s.book.Stats()
		e.gauge("invitations", "Invitations that are good, and known.", b.Good)
		e.counter("invitations_revoked", "Invitations revoked.", b.Revoked)
		e.counter("invitations_refused", "Invitations not made because there were too many.", b.Refused)
		e.counter("bans_forgotten", "Rooms whose bans were forgotten because there were too many.", b.ForgottenBans)
	}
	e.counter("data_failures", "Files of the data folder that could not be written, or the folder itself.", s.data.Failed())
}
