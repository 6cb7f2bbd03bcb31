package sfu

// Offer is a client's SDP offer, with what each of its media sections is for. The client always offers.
type Offer struct {
	SDP   string     `json:"sdp"`
	Send  []SendLine `json:"send"`
	Slots []SlotLine `json:"slots"`
}

// SendLine names a sendonly media section by what it may carry.
type SendLine struct {
	MID  string `json:"mid"`
	Kind Kind   `json:"kind"`
}

// SlotLine names a pair of recvonly media sections that together show one stream, so that lips stay in sync.
type SlotLine struct {
	Audio string `json:"audio"`
	Video string `json:"video"`
}

// SlotView says what one slot shows: nil sources leave it empty. Width and Height are the size, in device pixels, at which
// the viewer shows the picture; the simulcast layer follows them.
type SlotView struct {
	Slot             int
	Video, Audio     *Source
	Width, Height    int
	Rank             int  // of importance: 0 is the first to be served when bandwidth is short
	Pinned, Speaking bool // served in full before others get more than their lowest layer, pinned ones first
}

// Data is one message from or to a peer's data channels.
type Data struct {
	To       []string // addressees' peer ids; empty: everybody else. Only on the way in
	From     string   // sender's peer id, stamped by the SFU. Only on the way out
	Topic    string
	Payload  []byte
	Reliable bool
}
