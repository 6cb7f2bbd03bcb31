package turn

// Reason is why something was refused or dropped. Its String is the metric's label.
type Reason uint8

// The reasons. Requests first, then relayed packets, then TCP connections.
const (
	BadName          Reason = iota // the user name is not <expiry>:<session>
	WrongRealm                     // the realm is not ours
	Expired                        // the credentials are, and the source holds no allocation of that session
	BadPassword                    // the message integrity does not match
	StaleNonce                     // the nonce is older than an hour, or from before a restart
	Revoked                        // the session has ended
	OtherUser                      // the source's allocation belongs to somebody else
	NoAllocation                   // there is none to act on
	InUse                          // the source has an allocation already
	BadRequest                     // an attribute is missing, of the wrong size, or at odds with another
	UnknownAttribute               // one that must be understood and is not
	Transport                      // a relay of something else than UDP
	Family                         // a relay of IPv6
	NoReservation                  // a pair of ports, or the second of one
	IdentityQuota                  // Limits.PerIdentity
	IPQuota                        // Limits.PerIP
	TotalQuota                     // Limits.Allocations
	NoPort                         // no relay port could be had
	DeniedPeer                     // the peer's address is on the deny list
	PeerFamily                     // the peer is IPv6
	TooManyPeers                   // Limits.Peers
	TooManyChannels                // Limits.Channels
	ErrorLimit                     // Limits.Errors: an error answer was not sent
	Nested                         // it came from one of our relays: a relay is no client

	OwnPort      // a packet to or from a port of this host that is neither media nor a relay
	OverRate     // Limits.Bandwidth
	PeerError    // the system refused to send to the peer, or reported an error instead of a packet
	NoPermission // a peer that the client has not permitted sent
	TooLong      // a peer's packet that no client of ours could have sent

	ConnQuota   // Limits.Conns
	ConnIPQuota // Limits.ConnsPerIP
	BadFrame    // neither STUN nor ChannelData, or too long
	Idle        // no allocation in time, or nothing heard for long, or half a message
	SlowReader  // did not read what was sent to it

	numReasons
)

var reasonNames = [numReasons]string{
	"bad_name", "wrong_realm", "expired", "bad_password", "stale_nonce", "revoked", "other_user", "no_allocation", "in_use",
	"bad_request", "unknown_attribute", "transport", "family", "no_reservation", "identity_quota", "ip_quota",
	"total_quota", "no_port", "denied_peer", "peer_family", "too_many_peers", "too_many_channels", "error_limit", "nested",
	"own_port", "over_rate", "peer_error", "no_permission", "too_long",
	"conn_quota", "conn_ip_quota", "bad_frame", "idle", "slow_reader",
}

func (r Reason) String() string { return reasonNames[r] }

// refusal is an error answer: its code on the wire, and why.
type refusal struct {
	code   int
	reason Reason
}

// The refusals that a request can meet. Their codes are RFC 8489's and RFC 8656's.
var (
	badRequest       = &refusal{400, BadRequest}
	unknownAttribute = &refusal{420, UnknownAttribute}
	noAllocation     = &refusal{437, NoAllocation}
	inUse            = &refusal{437, InUse}
	staleNonce       = &refusal{438, StaleNonce}
	otherUser        = &refusal{441, OtherUser}
	otherFamily      = &refusal{440, Family}
	otherTransport   = &refusal{442, Transport}
	peerFamily       = &refusal{443, PeerFamily}
	noReservation    = &refusal{508, NoReservation}
	noPort           = &refusal{508, NoPort}
)

// unauthenticated is the refusal of somebody who is not known.
func unauthenticated(r Reason) *refusal { return &refusal{401, r} }

// words are for people who debug.
var words = map[int]string{
	400: "Bad Request", 401: "Unauthenticated", 403: "Forbidden", 420: "Unknown Attribute", 437: "Allocation Mismatch",
	438: "Stale Nonce", 440: "Address Family not Supported", 441: "Wrong Credentials",
	442: "Unsupported Transport Protocol", 443: "Peer Address Family Mismatch", 486: "Allocation Quota Reached",
	508: "Insufficient Capacity",
}
