package quality

// Reason says why a picture is what it is.
type Reason string

// The reasons.
const (
	Best      Reason = "best"      // the top there is
	Size      Reason = "size"      // it fits the tile
	Bandwidth Reason = "bandwidth" // the receiver's network takes no more
	Switching Reason = "switching" // a keyframe is waited for
	Silent    Reason = "silent"    // the layer that is wished for is not being sent
	Paused    Reason = "paused"    // the receiver's network does not even take the lowest layer
	Muted     Reason = "muted"
	Hidden    Reason = "hidden" // no picture was asked for
	Codec     Reason = "codec"  // the receiver cannot decode it
)

// Report is a snapshot of one peer's connection. Rates are bit/s, times milliseconds.
type Report struct {
	Downlink Downlink `json:"downlink"`
	Slots    []Slot   `json:"slots"`  // those that show a video or were asked to
	Uplink   []Uplink `json:"uplink"` // videos that the peer publishes
}

// Downlink is the way to the peer.
type Downlink struct {
	Estimate int     `json:"estimate_bps"` // 0: unknown
	Sent     int     `json:"sent_bps"`
	Loss     float64 `json:"loss_percent"`
	RTT      int     `json:"rtt_ms"`
	Queue    int     `json:"queue_ms"`
	State    string  `json:"state"`  // hold, increase, decrease, probe
	Source   string  `json:"source"` // what the estimate is made from: twcc, remb, rr, none
}

// Slot is one slot's video.
type Slot struct {
	Slot     int    `json:"slot"`
	Video    string `json:"video"` // the source's id
	Codec    string `json:"codec"` // "VP8"
	RID      string `json:"rid"`
	Spatial  int    `json:"spatial"` // -1: nothing flows
	Temporal int    `json:"temporal"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	FPS      int    `json:"fps"`
	Rate     int    `json:"bps"`
	Target   int    `json:"target_bps"` // what the allocation grants it; 0: there is no limit
	Reason   Reason `json:"reason"`
}

// Uplink is one video that the peer publishes.
type Uplink struct {
	Kind   string  `json:"kind"`
	Layers []Layer `json:"layers"`
}

// Layer is a simulcast layer as it arrives.
type Layer struct {
	RID    string  `json:"rid"`
	Active bool    `json:"active"` // packets come
	Wanted bool    `json:"wanted"` // somebody watches it or may have to
	Width  int     `json:"width"`
	Height int     `json:"height"`
	FPS    int     `json:"fps"`
	Rate   int     `json:"bps"`
	Loss   float64 `json:"loss_percent"`
}

// Held is a slot whose video was asked for and does not flow.
type Held struct {
	Slot   int    `json:"slot"`
	State  string `json:"state"` // "paused"
	Reason Reason `json:"reason"`
}
