package main

import (
	"runtime"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling"
	"github.com/parley/parley/signaling/access/hosts"
	"github.com/parley/parley/signaling/token"
)

// config is everything an operator can set. Each field is a YAML key, a PARLEY_ variable and a flag; fields.go derives
// the names and the reference from the tags.
type config struct {
	Listen string `yaml:"listen" doc:"Address of pages, signaling and presence (HTTP, TCP). Without a host, as in :8080: all interfaces, or loopback alone while there is no secret."`
	UDP    string `yaml:"udp" doc:"Address of the one UDP port of all media, STUN and TURN. Without a host: all interfaces, but while there is no secret packets from other machines are dropped."`
	TCP    string `yaml:"tcp" doc:"Address of ICE and TURN over TCP, for networks that block UDP; off: none. Same rule for the host."`
	Admin  string `yaml:"admin" doc:"Address of /metrics, /healthz, /readyz and /debug/pprof; off: none. It has no password: without a host it is loopback, always."`

	Secret     secrets  `yaml:"secret" doc:"Keys of access tokens, at least 16 bytes each: the first signs, all verify, so that one can take over from another. Make one with: openssl rand -hex 32. Without any only loopback is served, to everybody."`
	SecretFile string   `yaml:"secret_file" doc:"File with the secrets in it, one a line, instead of secret."`
	Insecure   bool     `yaml:"insecure" doc:"Serve other machines without a secret: whoever reaches the server may do everything. For closed test networks."`
	LAN        bool     `yaml:"lan" doc:"Serve the private network that this machine is in, and nobody else, over HTTPS with a certificate that it makes itself: to try it with the phone beside you. It needs no secret. Without a host all addresses are listened on, and what comes from outside the private networks of the interfaces is dropped."`
	Anonymous  []string `yaml:"anonymous" doc:"What those may do who come without a token, where rooms.open is anyone: publish, subscribe, message, moderate, join (implied by those), invite, watch, list. Empty: publish, subscribe, message and watch, and without a secret list; the first in a room moderates it."`

	PublicIP  []string `yaml:"public_ip" doc:"Addresses under which clients reach the media ports, where a NAT hides them. Empty: those of the interfaces."`
	PublicURL string   `yaml:"public_url" doc:"Address people open, as https://meet.example.org; an origin that is always allowed."`
	Origins   []string `yaml:"origins" doc:"Origins, scheme included, whose pages may connect besides the server's own, as https://example.org; * allows all."`
	Trusted   []string `yaml:"trusted_proxies" doc:"Prefixes or addresses of reverse proxies, as 127.0.0.1 or 10.1.0.0/16. From them alone X-Forwarded-For counts: the rightmost address in it that is no trusted proxy is the client's."`
	TLSCert   string   `yaml:"tls_cert" doc:"Certificate chain (PEM) for HTTPS on the listen address. Read again when the file changes and on SIGHUP."`
	TLSKey    string   `yaml:"tls_key" doc:"Private key (PEM) of tls_cert."`

	Data string `yaml:"data" doc:"Folder for what outlives the process: invitations, bans. Empty: the service manager's (STATE_DIRECTORY), else parley in the user's folder for configuration; off: memory alone. It is made when first needed; one process has it at a time."`

	ShutdownTimeout time.Duration `yaml:"shutdown_timeout" doc:"How long SIGTERM waits for clients to be back elsewhere, while their media goes on, before it closes what is left."`

	Rooms       roomsConfig       `yaml:"rooms" doc:"Who may open a room, and how others come in: docs/access.md."`
	Hosts       hostsConfig       `yaml:"hosts" doc:"How hosts sign in, where rooms.open is hosts. Where nothing is set, the server prints a link at its start, good for a day and once."`
	Log         logConfig         `yaml:"log" doc:"Log lines go to standard error."`
	Media       mediaConfig       `yaml:"media" doc:"Media and data channels."`
	Token       tokenConfig       `yaml:"token" doc:"Access tokens after the join."`
	Timing      timingConfig      `yaml:"timing" doc:"How long the server waits for what."`
	Limits      limitsConfig      `yaml:"limits" doc:"What one client can make the server do or hold. Sizes are bytes unless the name says otherwise."`
	Connections connectionsConfig `yaml:"connections" doc:"How many connections there may be. Each takes a file, as a relay does: together at most what the process may open, else all are reduced in proportion."`
	Presence    presenceConfig    `yaml:"presence" doc:"The feeds that tell who is in a room."`
	Turn        turnConfig        `yaml:"turn" doc:"The embedded TURN relay, for clients that reach nothing but this server."`
}

// roomsConfig says who gets into rooms.
type roomsConfig struct {
	Open string `yaml:"open" doc:"Who may open a room: anyone, who has its name; hosts, who sign in and invite; tokens, who has one of your application. Empty: hosts where there is a secret, else anyone."`

	Knock            bool          `yaml:"knock" doc:"Whoever has no invitation may ask to be let in, where hosts open rooms."`
	Guests           []string      `yaml:"guests" doc:"What a guest may do where who invites says nothing; never more than who invites."`
	InvitationTTL    time.Duration `yaml:"invitation_ttl" doc:"How long an invitation is good where who invites says nothing."`
	InvitationMaxTTL time.Duration `yaml:"invitation_max_ttl" doc:"How long an invitation is good at most."`
}

// hostsConfig says how hosts sign in.
type hostsConfig struct {
	Passphrase secret        `yaml:"passphrase" doc:"Hash of the passphrase that hosts sign in with; make it with: parley passphrase."`
	Session    time.Duration `yaml:"session" doc:"How long a host stays signed in in a browser."`

	OIDCIssuer           string   `yaml:"oidc_issuer" doc:"OpenID Connect provider that hosts sign in by, as https://accounts.example.org; register /v1/access/oidc/callback of this server there. Empty: none."`
	OIDCClientID         string   `yaml:"oidc_client_id" doc:"What the provider calls this server."`
	OIDCClientSecret     secret   `yaml:"oidc_client_secret" doc:"The client's secret. Empty: a public client."`
	OIDCClientSecretFile string   `yaml:"oidc_client_secret_file" doc:"File with the client's secret in it, instead of oidc_client_secret."`
	OIDCAllow            []string `yaml:"oidc_allow" doc:"Whom it makes a host, by verified email address: ann@example.org, @example.org. Empty: whoever the provider signs in."`
	OIDCName             string   `yaml:"oidc_name" doc:"Name of the provider, for the button. Empty: the host of oidc_issuer."`
}

// openTo is who may open a room.
func (c *config) openTo() string {
	switch {
	case !c.guarded():
		return openAnyone
	case c.Rooms.Open == "":
		return openHosts
	}
	return c.Rooms.Open
}

// What rooms.open may be.
const (
	openAnyone = "anyone"
	openHosts  = "hosts"
	openTokens = "tokens"
)

// logConfig says what is logged and how.
type logConfig struct {
	Level  string `yaml:"level" doc:"debug, info, warn or error."`
	Format string `yaml:"format" doc:"text, json, or auto: text on a terminal, JSON otherwise."`

	Addresses bool `yaml:"addresses" doc:"Lines of the audit log have the client's address."`
}

// tokenConfig says what becomes of tokens once they have let somebody in.
type tokenConfig struct {
	TTL     time.Duration `yaml:"ttl" doc:"How long the token is good that who is in a room is given, again and again, to come back with after his own has expired."`
	Enforce bool          `yaml:"enforce_expiry" doc:"Nothing outlives the token of the join: no token to come back with, and no session by more than token.grace."`
	Grace   time.Duration `yaml:"grace" doc:"How long a session goes on after its token where token.enforce_expiry is set. Its client is told when the token ends."`
}

// mediaConfig is about the SFU.
type mediaConfig struct {
	ICELite      string `yaml:"ice_lite" doc:"Of plane pion: on, off, or auto: on where public_ip, loopback or a public interface address is known. Plane batched is always ICE-lite."`
	Plane        string `yaml:"plane" doc:"How packets are forwarded: batched, or pion, which costs several times the CPU and is for comparison."`
	Sockets      int    `yaml:"sockets" doc:"Sockets that share the UDP port, each with a thread that reads and forwards (Linux; elsewhere one); 0: as many as cores."`
	StartBitrate int    `yaml:"start_bitrate" doc:"Bits per second hinted to publishers' encoders, so that all simulcast layers are up at once."`
	MaxPublish   int    `yaml:"max_publish_bps" doc:"Bits per second of video that one participant may publish, all layers together; more is dropped. Sound has its own bound, Opus's 510 kb/s."`
}

// sockets is how many there are. pion reads one.
func (m mediaConfig) sockets() int {
	switch {
	case m.Plane == string(sfu.PlanePion):
		return 1
	case m.Sockets == 0:
		return runtime.GOMAXPROCS(0)
	}
	return m.Sockets
}

// timingConfig has the clocks of signaling that operators have reason to change.
type timingConfig struct {
	Ping    time.Duration `yaml:"ping" doc:"Between a client's pings."`
	Silence time.Duration `yaml:"silence" doc:"Silence after which a connection is closed."`
	Away    time.Duration `yaml:"away" doc:"Silence, of messages and media, after which a participant is shown as not reachable."`
	Resume  time.Duration `yaml:"resume" doc:"How long a session whose connection broke can be resumed; then the participant leaves."`
	Grace   time.Duration `yaml:"grace" doc:"How long an empty room's log is kept for its watchers, and its bans."`
	Waiting time.Duration `yaml:"waiting" doc:"How long somebody who knocks may wait to be let in."`
	Spread  time.Duration `yaml:"spread" doc:"Longest time over which clients spread their return after a shutdown; few take less."`
}

func (t timingConfig) timing() signaling.Timing {
	return signaling.Timing{Ping: t.Ping, Silence: t.Silence, Away: t.Away, Resume: t.Resume, Grace: t.Grace, Waiting: t.Waiting, Drain: t.Spread}
}

// limitsConfig is signaling.Limits with its documentation: same fields in the same order, so that a conversion is enough.
type limitsConfig struct {
	MessageBytes      int `yaml:"message_bytes" doc:"A message."`
	OfferBytes        int `yaml:"offer_bytes" doc:"A join or negotiate message, which carries SDP."`
	MessagesPerSecond int `yaml:"messages_per_second" doc:"Messages of a client, sustained."`
	MessageBurst      int `yaml:"message_burst" doc:"Messages of a client, at once."`
	Participants      int `yaml:"participants" doc:"Participants of a room."`
	SeatsPerIdentity  int `yaml:"seats_per_identity" doc:"Sessions of one identity in a room. Moderators are not bound."`
	SeatsPerAddress   int `yaml:"seats_per_address" doc:"Sessions of one client address (IPv6: one /64) on the server. This machine and moderators are not bound; behind a proxy set trusted_proxies."`
	Rooms             int `yaml:"rooms" doc:"Rooms with somebody in them."`
	WatchedRooms      int `yaml:"watched_rooms" doc:"Rooms with watchers but nobody in them."`
	Bans              int `yaml:"bans" doc:"Identities that a room keeps out because a moderator removed them, until it ends."`
	Waiting           int `yaml:"waiting" doc:"People who knock at a room and wait to be let in."`
	WaitingPerAddress int `yaml:"waiting_per_address" doc:"Of these, from one client address (IPv6: one /64). This machine is not bound."`
	Invitations       int `yaml:"invitations" doc:"Invitations of a room that are good at once."`
	Publications      int `yaml:"publications" doc:"Sources of a participant, at most 4."`
	Slots             int `yaml:"slots" doc:"Streams a session receives at once."`
	Tiles             int `yaml:"tiles" doc:"Tiles in one subscribe message."`
	NameChars         int `yaml:"name_chars" doc:"A display name, in characters."`
	IdentityBytes     int `yaml:"identity_bytes" doc:"An identity."`
	MetadataBytes     int `yaml:"metadata_bytes" doc:"A participant's metadata, as JSON."`
	TextBytes         int `yaml:"text_bytes" doc:"A chat message."`
	SignalBytes       int `yaml:"signal_bytes" doc:"The data of a peer-to-peer signal."`
	DataBytes         int `yaml:"data_bytes" doc:"A data channel frame."`
	LogEntries        int `yaml:"log_entries" doc:"Events a room keeps for those who reconnect."`
	History           int `yaml:"history" doc:"Chat messages a newcomer sees."`
}

func (l limitsConfig) limits() signaling.Limits { return signaling.Limits(l) }

// connectionsConfig bounds what strangers can hold open.
type connectionsConfig struct {
	HTTP           int `yaml:"http" doc:"Connections of pages, signaling and feeds. When all are taken, idle ones give way."`
	HTTPPerAddress int `yaml:"http_per_address" doc:"Of these, from one address (IPv6: one /64). trusted_proxies and this machine are not bound."`
	TCP            int `yaml:"tcp" doc:"Connections of ICE and TURN on the tcp address."`
	TCPPerAddress  int `yaml:"tcp_per_address" doc:"Of these, from one address (IPv6: one /64)."`
}

// presenceConfig is about the feeds.
type presenceConfig struct {
	Watchers   int           `yaml:"watchers" doc:"Event streams and waiting long-polls in all; more are told to come back later."`
	PerToken   int           `yaml:"watchers_per_token" doc:"Of these, with one token: a badge on a public page has one for all its readers."`
	PerAddress int           `yaml:"watchers_per_address" doc:"Of these, from one client address (IPv6: one /64). This machine is not bound."`
	Heartbeat  time.Duration `yaml:"heartbeat" doc:"Between comments on a silent stream, give or take a quarter; keep it below what proxies allow."`
}

// turnConfig is about the relay.
type turnConfig struct {
	Enabled     bool          `yaml:"enabled" doc:"Offer STUN and TURN on the udp and tcp addresses."`
	Secret      secrets       `yaml:"secret" doc:"Keys of relay credentials, at least 16 bytes each, none of them in secret: the first makes, all verify. Other programs can make credentials with it. Empty: derived from secret."`
	SecretFile  string        `yaml:"secret_file" doc:"File with turn.secret in it, one a line, instead of turn.secret."`
	Realm       string        `yaml:"realm" doc:"Realm of the credentials, at most 12 bytes."`
	TTL         time.Duration `yaml:"ttl" doc:"How long credentials can start a relay, at least timing.resume; a running one goes on until its session ends."`
	RelayIP     string        `yaml:"relay_ip" doc:"IPv4 address of relays, as clients are told it. Empty: the first of public_ip, or that of the interface."`
	RelayPorts  string        `yaml:"relay_ports" doc:"UDP ports of relays, first-last: open them in the firewall."`
	Allow       []string      `yaml:"allow" doc:"Prefixes of peers to relay to although they are private or special, as 10.1.0.0/16."`
	PerIdentity int           `yaml:"per_identity" doc:"Relays of one identity, all its sessions together."`
	PerIP       int           `yaml:"per_ip" doc:"Relays of one client address (IPv6: one /64)."`
	Allocations int           `yaml:"allocations" doc:"Relays in all."`
	Bandwidth   int           `yaml:"bandwidth" doc:"Bytes per second of one relay, each way."`
}

// defaults is the configuration of a server that nobody configured.
func defaults() config {
	return config{
		Listen:          ":8080",
		UDP:             ":7880",
		TCP:             ":7881",
		Admin:           "127.0.0.1:8081",
		ShutdownTimeout: 10 * time.Second,

		Rooms: roomsConfig{
			Knock: true, Guests: []string{"publish", "subscribe", "message", "watch"},
			InvitationTTL: 24 * time.Hour, InvitationMaxTTL: 7 * 24 * time.Hour,
		},
		Hosts: hostsConfig{Session: hosts.DefaultSession},
		Log:   logConfig{Level: "info", Format: "auto", Addresses: true},
		Media: mediaConfig{ICELite: "auto", Plane: "batched", StartBitrate: 2_500_000, MaxPublish: 20_000_000},
		Token: tokenConfig{TTL: token.DefaultTTL, Grace: token.DefaultGrace},
		Timing: timingConfig{
			Ping: 4 * time.Second, Silence: 10 * time.Second, Away: 5500 * time.Millisecond, Resume: 30 * time.Second, Grace: time.Minute,
			Spread: 20 * time.Second, Waiting: time.Hour,
		},
		Limits: limitsConfig{
			MessageBytes: 64 << 10, OfferBytes: 256 << 10, MessagesPerSecond: 30, MessageBurst: 90,
			Participants: 100, SeatsPerIdentity: 4, SeatsPerAddress: 200, Rooms: 1000, WatchedRooms: 1000, Bans: 1000, Waiting: 50, WaitingPerAddress: 5, Invitations: 100, Publications: 4,
			Slots: 25, Tiles: 100,
			NameChars: 64, IdentityBytes: 128, MetadataBytes: 4 << 10, TextBytes: 4 << 10, SignalBytes: 16 << 10,
			DataBytes: 64 << 10, LogEntries: 1024, History: 100,
		},
		Connections: connectionsConfig{HTTP: 32_768, HTTPPerAddress: 1024, TCP: 8192, TCPPerAddress: 512},
		Presence:    presenceConfig{Watchers: 20_000, PerToken: 5000, PerAddress: 500, Heartbeat: 20 * time.Second},
		Turn: turnConfig{
			Enabled: true, Realm: "parley", TTL: 2 * time.Minute, RelayPorts: "49152-65535",
			PerIdentity: 32, PerIP: 256, Allocations: 4096, Bandwidth: 4 << 20,
		},
	}
}
