package turn

// Reason is why something was refused or dropped. Its String is the metric's label.
type Reason uint8

// The reasons. Requests first, then relayed packets, then TCP connections.
const (
	BadName         Reason = iota // the user name is not <expiry>:<session>
	WrongRealm                    // the realm is not ours
	Expired                       // the credentials are, and the source holds no allocation of that user
	BadPassword                   // the message integrity does not match
	OtherUser                     // the source's allocation belongs to somebody else
	Revoked                       // the session has ended
	IdentityQuota                 // Limits.PerIdentity
	IPQuota                       // Limits.PerIP
	TotalQuota                    // Limits.Allocations
	NoPort                        // no relay port could be had
	DeniedPeer                    // the peer's address is on the deny list
	PeerFamily                    // the peer is IPv6
	TooManyPeers                  // Limits.Peers
	TooManyChannels               // Limits.Channels
	Expiring                      // a permission or channel on an allocation that is about to end
	ErrorLimit                    // Limits.Errors: an error answer was not sent

	OwnPort   // a packet to or from a port of this host that is neither media nor a relay
	OverRate  // Limits.Bandwidth
	PeerError // the system refused to send to the peer, or reported an error instead of a packet

	ConnQuota   // Limits.Conns
	ConnIPQuota // Limits.ConnsPerIP
	BadFrame    // neither STUN nor ChannelData, or too long
	Idle        // no allocation in time, or nothing heard for long, or half a message
	SlowReader  // did not read what was sent to it

	numReasons
)

var reasonNames = [numReasons]string{
	"bad_name", "wrong_realm", "expired", "bad_password", "other_user", "revoked", "identity_quota", "ip_quota", "total_quota", "no_port",
	"denied_peer", "peer_family", "too_many_peers", "too_many_channels", "expiring", "error_limit",
	"own_port", "over_rate", "peer_error",
	"conn_quota", "conn_ip_quota", "bad_frame", "idle", "slow_reader",
}

func (r Reason) String() string { return reasonNames[r] }
