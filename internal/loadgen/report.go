package loadgen

import (
	"fmt"
	"runtime"
	"time"
)

// Report is the outcome of a run. Percentages are 0 to 100.
type Report struct {
	Setup     Setup     `json:"setup"`
	Joins     Joins     `json:"joins"`
	Traffic   Traffic   `json:"traffic"`
	Latency   Latency   `json:"latency"`
	Server    *Server   `json:"server"` // null: it was not asked
	Generator Generator `json:"generator"`
	Search    *Search   `json:"capacity,omitempty"`
	Series    []Moment  `json:"series,omitempty"`   // with Config.Every
	Accounts  *Accounts `json:"accounts,omitempty"` // with Config.Every
}

// Setup says what was run.
type Setup struct {
	Rooms       int     `json:"rooms"`
	Publishers  int     `json:"publishers_per_room"`
	Viewers     int     `json:"viewers_per_room"`
	Early       int     `json:"early_viewers_per_room"` // more of them, there before the joins that were timed
	Meeting     bool    `json:"meeting"`
	Seconds     float64 `json:"seconds"`
	Codec       string  `json:"codec"`
	Simulcast   bool    `json:"simulcast"`
	PacketBytes int     `json:"packet_bytes"`
	Burst       int     `json:"packets_per_picture"`
	Data        bool    `json:"data_channels"`
	Full        int     `json:"full_receivers"`  // took and decrypted every packet
	Light       int     `json:"light_receivers"` // took every SampleEvery-th; the kernel dropped and counted the rest
	SampleEvery int     `json:"sample_every"`
	Feedback    int     `json:"feedback_receivers"` // sent transport-wide feedback: a server can estimate their bandwidth
}

// Joins says how long clients waited that joined a room where somebody was sending. The clock starts when they connect; their
// sockets, certificates and offers were ready before.
type Joins struct {
	Joined     int       `json:"joined"`
	Failed     int       `json:"failed"`
	FirstMedia Quantiles `json:"first_media"` // the first RTP packet, decrypted
	FirstVideo Quantiles `json:"first_video"` // the first packet of a keyframe
	// What the joins of viewers cost; 0 where it is unknown.
	ServerCPU    float64  `json:"server_cpu_ms_per_join"`
	GeneratorCPU float64  `json:"generator_cpu_percent"` // while they joined, of its cores
	Errors       []string `json:"errors,omitempty"`
}

// Traffic is what flowed in the measurement.
type Traffic struct {
	Seconds          float64 `json:"seconds"`
	Published        uint64  `json:"published_packets"`
	Packets          uint64  `json:"received_packets"` // by all viewers, those that the kernel counted included
	PacketsPerSecond float64 `json:"packets_per_second"`
	BitsPerSecond    float64 `json:"bits_per_second"`      // RTP; where the kernel counted, by the mean size of the sample
	LossSampled      float64 `json:"loss_percent_sampled"` // by the sequence numbers of light receivers
	LossFull         float64 `json:"loss_percent_full"`    // by those of full receivers
	Undelivered      float64 `json:"undelivered_percent"`  // received against published times viewers; 0 in simulcast
	SilentStreams    int     `json:"silent_streams"`       // subscribed, but nothing came
	Undecryptable    uint64  `json:"undecryptable_packets"`
	Resent           uint64  `json:"resent_packets"`
}

// Loss is the worst of the figures for loss.
func (t Traffic) Loss() float64 { return max(t.LossSampled, t.LossFull, t.Undelivered) }

// Latency is one way, from before the publisher encrypts to the arrival in the viewer's socket.
type Latency struct {
	Sampled Quantiles `json:"sampled"` // an even sample over all receivers
	Full    Quantiles `json:"full"`    // all packets of full receivers
}

// Server is what the measurement cost the server.
type Server struct {
	CPUPercent    float64           `json:"cpu_percent"` // of one core
	CPUPerPacket  float64           `json:"cpu_us_per_packet"`
	OthersCPU     float64           `json:"others_cpu_percent"` // of one core: what else ran on the machine; 0 without --pid
	Forwarded     uint64            `json:"forwarded_packets"`  // by the server's count
	Memory        float64           `json:"memory_kib_per_participant"`
	Heap          float64           `json:"heap_kib_per_participant"`
	Goroutines    float64           `json:"goroutines_per_participant"`
	Resident      uint64            `json:"resident_bytes"`
	Dropped       map[string]uint64 `json:"dropped,omitempty"`
	ParticipantsN int               `json:"participants_counted"` // over whom memory and goroutines were shared out
}

// Generator says whether the generator kept up.
type Generator struct {
	CPUPercent   float64   `json:"cpu_percent"` // of Cores
	Cores        int       `json:"cores"`
	SendLate     Quantiles `json:"send_late"`     // after the time at which a frame or sound was due
	Skipped      uint64    `json:"skipped"`       // frames and sounds left out, being over 100 ms late
	ReceiveDelay Quantiles `json:"receive_delay"` // from arrival to reading; no part of the latency
	Unread       uint64    `json:"unread_packets"`
	Limits       []string  `json:"limits"` // why the figures may be the generator's and not the server's; empty: they are not
}

// Search is the outcome of a search for capacity.
type Search struct {
	Viewers          int     `json:"viewers_per_room"` // the most that were within the bounds
	PacketsPerSecond float64 `json:"packets_per_second"`
	EndedBy          string  `json:"ended_by"`
	Steps            []Step  `json:"steps"`
}

// Step is one measurement of a search.
type Step struct {
	Viewers          int      `json:"viewers_per_room"`
	PacketsPerSecond float64  `json:"packets_per_second"`
	P50              float64  `json:"p50_ms"`
	P99              float64  `json:"p99_ms"`
	Loss             float64  `json:"loss_percent"`
	ServerCPU        float64  `json:"server_cpu_percent"`
	CPUPerPacket     float64  `json:"cpu_us_per_packet"`
	GeneratorCPU     float64  `json:"generator_cpu_percent"`
	Limits           []string `json:"generator_limits"`
}

// Live is how a run goes, once a second.
type Live struct {
	Elapsed          time.Duration
	Phase            string
	Clients          int
	PacketsPerSecond float64
	BitsPerSecond    float64
	P50, P99         time.Duration // of the last second
	Loss             float64       // percent, since the measurement began; before: since each joined
	Failed           int           // joins
	GeneratorCPU     float64       // percent of its cores
}

// Bounds beyond which the generator is to blame.
const (
	maxGeneratorCPU = 85.0 // percent
	maxSendLate     = 5.0  // ms, p99
	maxReceiveDelay = 10.0 // ms, p99
	maxOthersCPU    = 20.0 // percent of one core
)

// limits names what the generator could not keep up with, and who else was in the way.
func (g Generator) limits(s *Server) []string {
	out := []string{}
	if s != nil && s.OthersCPU > maxOthersCPU {
		out = append(out, fmt.Sprintf("other processes used %.0f %% of a core", s.OthersCPU))
	}
	if g.CPUPercent > maxGeneratorCPU {
		out = append(out, fmt.Sprintf("the generator used %.0f %% of its CPU", g.CPUPercent))
	}
	if g.SendLate.P99 > maxSendLate {
		out = append(out, fmt.Sprintf("1 %% of frames and sounds were sent %.1f ms late or more", g.SendLate.P99))
	}
	if g.Skipped > 0 {
		out = append(out, fmt.Sprintf("%d frames and sounds were left out", g.Skipped))
	}
	if g.Unread > 0 {
		out = append(out, fmt.Sprintf("%d packets were dropped because nobody read them", g.Unread))
	}
	if g.ReceiveDelay.P99 > maxReceiveDelay {
		out = append(out, fmt.Sprintf("1 %% of packets were read %.1f ms after they came, or later", g.ReceiveDelay.P99))
	}
	return out
}

// flow is the state of all counters at one moment.
type flow struct {
	at        time.Time
	cpu       time.Duration // of the generator
	published uint64
	due       uint64 // packets published, times their viewers
	packets   uint64 // received, the kernel's count included
	bytes     uint64 // of them, those that the kernel counted by the mean size of the others
	bad       uint64
	resent    uint64
	unread    uint64
}

// losses are the sums over receivers since a window began.
type losses struct {
	light, full [2]uint64 // received, expected
	silent      int
}

// percent is the share that is missing.
func (losses) percent(c [2]uint64) float64 {
	return percent(float64(c[1])-float64(c[0]), float64(c[1]))
}

func percent(part, of float64) float64 {
	if of <= 0 {
		return 0
	}
	return 100 * part / of
}

// traffic compares two moments.
func traffic(a, b flow, l losses, simulcast bool) Traffic {
	seconds := b.at.Sub(a.at).Seconds()
	t := Traffic{
		Seconds: seconds, Published: b.published - a.published, Packets: b.packets - a.packets,
		LossSampled: l.percent(l.light), LossFull: l.percent(l.full), SilentStreams: l.silent,
		Undecryptable: b.bad - a.bad, Resent: b.resent - a.resent,
	}
	t.PacketsPerSecond = float64(t.Packets) / seconds
	t.BitsPerSecond = 8 * (float64(b.bytes) - float64(a.bytes)) / seconds
	if due := float64(b.due - a.due); !simulcast && due > 0 {
		t.Undelivered = max(percent(due-float64(t.Packets), due), 0)
	}
	return t
}

// generator compares two moments.
func generator(a, b flow) Generator {
	g := Generator{Cores: runtime.GOMAXPROCS(0), Unread: b.unread - a.unread}
	g.CPUPercent = percent(float64(b.cpu-a.cpu), float64(b.at.Sub(a.at))*float64(g.Cores))
	return g
}

// server compares two samples of a measurement; before is from before the participants came.
func server(before, a, b ServerSample, participants int) *Server {
	s := &Server{
		Forwarded: b.PacketsOut - a.PacketsOut, Resident: b.Resident, ParticipantsN: participants,
		CPUPercent: percent(b.CPU-a.CPU, b.At.Sub(a.At).Seconds()),
	}
	if s.Forwarded > 0 {
		s.CPUPerPacket = 1e6 * (b.CPU - a.CPU) / float64(s.Forwarded)
	}
	if n := float64(participants); n > 0 {
		s.Memory = (float64(a.Resident) - float64(before.Resident)) / n / 1024
		s.Heap = (float64(a.Heap) - float64(before.Heap)) / n / 1024
		s.Goroutines = (float64(a.Goroutines) - float64(before.Goroutines)) / n
	}
	s.Dropped = between(a.Dropped, b.Dropped)
	return s
}

// between is what counters by reason rose by, nil where none did.
func between(a, b map[string]uint64) map[string]uint64 {
	var out map[string]uint64
	for reason, n := range b {
		if d := n - a[reason]; d > 0 {
			if out == nil {
				out = map[string]uint64{}
			}
			out[reason] = d
		}
	}
	return out
}
