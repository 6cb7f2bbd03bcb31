package loadgen

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"time"
)

// ServerSample is what a server says of itself at one moment, in totals.
type ServerSample struct {
	At         time.Time
	CPU        float64 // seconds, user and system
	Machine    float64 // seconds that all CPUs of the machine were busy; 0: unknown
	Resident   uint64  // bytes of memory
	Heap       uint64  // bytes in use by Go's heap and stacks
	Goroutines uint64
	PacketsIn  uint64 // RTP
	PacketsOut uint64 // RTP, all viewers
	BytesOut   uint64
	Resent     uint64            // over RTX, padding included; part of PacketsOut, as the next
	Extra      uint64            // from before a viewer joined, and what nobody published
	LeftOut    map[string]uint64 // packets that viewers were not to have, once for each
	Dropped    map[string]uint64 // packets by reason, those of the UDP port with "udp:" before it
}

// ParseMetrics reads what /metrics serves (Prometheus text format). Unknown lines are skipped.
func ParseMetrics(r io.Reader, at time.Time) (ServerSample, error) {
	s := ServerSample{At: at, Dropped: map[string]uint64{}, LeftOut: map[string]uint64{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		i := strings.LastIndexByte(line, ' ')
		if i < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		v, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil || v < 0 {
			continue
		}
		name, label, _ := strings.Cut(line[:i], "{")
		_, label, _ = strings.Cut(label, `"`)
		label, _, _ = strings.Cut(label, `"`)
		switch name {
		case "process_cpu_seconds_total":
			s.CPU = v
		case "process_resident_memory_bytes":
			s.Resident = uint64(v)
		case "go_memstats_heap_inuse_bytes", "go_memstats_stack_inuse_bytes":
			s.Heap += uint64(v)
		case "go_goroutines":
			s.Goroutines = uint64(v)
		case "parley_media_received_packets_total":
			s.PacketsIn = uint64(v)
		case "parley_media_sent_packets_total":
			s.PacketsOut = uint64(v)
		case "parley_media_sent_bytes_total":
			s.BytesOut = uint64(v)
		case "parley_media_sent_rtx_packets_total":
			s.Resent = uint64(v)
		case "parley_media_replayed_packets_total", "parley_media_filled_packets_total":
			s.Extra += uint64(v)
		case "parley_media_left_out_packets_total":
			s.LeftOut[label] += uint64(v)
		case "parley_media_dropped_total":
			s.Dropped[label] += uint64(v)
		case "parley_udp_dropped_packets_total":
			s.Dropped["udp:"+label] += uint64(v)
		}
	}
	return s, lines.Err()
}
