package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling"
	"github.com/parley/parley/signaling/presence"
	"github.com/parley/parley/turn"
)

// emitter sends metrics of the namespace parley.
type emitter struct{ out chan<- prometheus.Metric }

func (e emitter) counter(name, help string, n uint64) {
	desc := prometheus.NewDesc("parley_"+name+"_total", help, nil, nil)
	e.out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n))
}

func (e emitter) gauge(name, help string, n int) {
	desc := prometheus.NewDesc("parley_"+name, help, nil, nil)
	e.out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n))
}

// counters sends one series for each key.
func (e emitter) counters(name, help, label string, values map[string]uint64) {
	desc := prometheus.NewDesc("parley_"+name+"_total", help, []string{label}, nil)
	for key, n := range values {
		e.out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), key)
	}
}

func (e emitter) network(s *server) {
	u := s.sockets.udp.Stats()
	e.counters("udp_received_packets", "Packets on the UDP port, by class.", "class", u.Received)
	e.counters("udp_dropped_packets", "Packets dropped before anybody looked into them, by reason.", "reason", u.Dropped)
	if s.tcp == nil {
		return
	}
	t := s.tcp.Stats()
	e.gauge("tcp_connections", "Connections on the ICE and TURN TCP port.", t.Open)
	e.counters("tcp_accepted_connections", "Connections on that port, by kind.", "kind", t.Accepted)
	e.counters("tcp_dropped_connections", "Connections closed before they were handed on, by reason.", "reason", t.Dropped)
}

func (e emitter) connections(s *server) {
	m := s.door.Stats()
	e.gauge("http_connections", "Connections of pages, signaling and feeds, idle ones included.", m.Open)
	e.counter("http_accepted_connections", "Connections let in on the listen address.", m.Accepted)
	e.counter("http_displaced_connections", "Idle connections closed to make room for newcomers.", m.Displaced)
	e.counters("http_refused_connections", "Connections closed at once, by reason: too many, or not of the network served.", "reason", m.Refused)
	e.counter("http_panics", "Mistakes of ours that ended one request or WebSocket. Please report them.", s.panics.Load()+s.ws.Panics())
	e.counter("accept_failures", "Connections on any port that had to wait because the process or the system had no file or memory left.",
		s.sockets.shortage.Count())
	desc := prometheus.NewDesc("parley_connection_limit", "Connections, relays and watchers that there may be, after reduction to the files of the process.",
		[]string{"kind"}, nil)
	for kind, n := range map[string]int{
		"http": s.places.http, "http_per_address": s.places.perAddress, "tcp": s.places.tcp, "relay": s.places.relays, "watcher": s.places.watchers,
	} {
		e.out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), kind)
	}
}

func (e emitter) certificateEnd(until time.Time) {
	e.gauge("tls_certificate_end_timestamp_seconds", "When the certificate in use, or the one that signed it, expires, in seconds since 1970.",
		int(until.Unix()))
}

func (e emitter) certificate(c *certificates) {
	e.certificateEnd(c.current.Load().until)
	e.counter("tls_refused_certificates", "Certificates on disk that were not taken into use: broken, expired, not yet valid, or not for public_url.",
		c.refused.Load())
}

func (e emitter) media(m sfu.Stats) {
	desc := prometheus.NewDesc("parley_media_peers", "Media connections, by state.", []string{"state"}, nil)
	for state := range sfu.PeerClosed { // closed ones are not counted
		e.out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(m.Peers[state]), state.String())
	}
	e.counter("media_received_packets", "RTP packets from publishers.", m.PacketsIn)
	e.counter("media_received_bytes", "RTP bytes from publishers.", m.BytesIn)
	e.counter("media_sent_packets", "RTP packets to viewers.", m.PacketsOut)
	e.counter("media_sent_bytes", "RTP bytes to viewers.", m.BytesOut)
	e.counter("media_received_rtx_packets", "Retransmissions from publishers, part of the received packets.", m.RTXIn)
	e.counter("media_sent_rtx_packets", "Retransmissions to viewers, part of the sent packets.", m.RTXOut)
	e.counter("media_received_probes", "Packets of padding with which publishers probe their bandwidth.", m.Probes)
	e.counter("media_moves", "Clients found at another port of their address before ICE told: their NAT forgot them.", m.Moved)
	e.counter("media_address_checks", "Binding requests to new addresses of clients, to see whether they are there.", m.Asked)
	e.counter("media_address_answers", "Those that were answered: media may go there.", m.Proved)
	e.counter("media_silenced", "Clients that were sent nothing any more because nothing came from them.", m.Silenced)
	e.counter("media_paced_packets", "Packets of video that waited for a viewer's network.", m.Paced)
	e.counter("media_sent_probes", "Bursts with which viewers' networks were probed.", m.ProbesOut)
	e.counter("media_keyframe_requests_received", "Keyframes that viewers asked for.", m.KeyframesAsked)
	e.counter("media_keyframe_requests_sent", "Keyframes that publishers were asked for.", m.KeyframesRequested)
	e.counter("media_uplink_collapses", "Times that a publisher's network carried far less than was sent.", m.Collapses)
	e.counter("media_nacks_received", "Packets that viewers asked for again.", m.NacksIn)
	e.counter("media_nacks_sent", "Packets that publishers were asked for again.", m.NacksOut)
	e.counter("media_rtcp_failures", "RTCP packets that could not be read or sent.", m.RTCPFailed)
	e.counter("media_data_received_messages", "Data channel messages from clients.", m.DataIn)
	e.counter("media_data_sent_messages", "Data channel messages to clients.", m.DataOut)
	e.counter("media_batch_reads", "System calls that read a batch of packets.", m.Socket.ReadCalls)
	e.counter("media_batch_read_packets", "Packets that these read, of media and others.", m.Socket.ReadPackets)
	e.counter("media_batch_sends", "System calls that sent a batch of packets.", m.Socket.SendCalls)
	e.counter("media_batch_messages", "Messages that these sent; a GSO run is one.", m.Socket.Messages)
	e.counter("media_batch_sent_packets", "Packets that these sent.", m.Socket.SentPackets)
	e.counters("media_batch_dropped_packets", "Packets that the socket did not take, by reason.", "reason", map[string]uint64{
		"full": m.Socket.DroppedFull, "error": m.Socket.DroppedError,
	})
	e.counter("media_gso_refusals", "GSO runs that had to be sent packet by packet.", m.Socket.SegmentationRefused)
	e.gauge("media_send_mode", "How packets are sent: 0 one by one, 1 sendmmsg, 2 GSO.", int(m.Socket.Mode))
	joins := 0
	if m.Socket.Joins {
		joins = 1
	}
	e.gauge("media_receive_offload", "Whether the kernel could join received packets (UDP_GRO), which is not made use of: 0 or 1.", joins)
	e.counter("media_panics", "Mistakes of ours that ended one media connection. Please report them.", m.Panics)
	e.counter("media_replayed_packets", "Packets from before a viewer joined a layer, part of the sent packets.", m.Replayed)
	e.counter("media_filled_packets", "Packets that nobody published: empty ones in the place of late ones, silence between sources; part of the sent packets.", m.Filled)
	e.counters("media_left_out_packets", "Packets that viewers were not to have, once for each, by reason.", "reason", m.LeftOut)
	e.counters("media_dropped", "Packets and data messages dropped, by reason.", "reason", m.Dropped)
}

func (e emitter) signaling(m signaling.Stats) {
	e.gauge("rooms", "Rooms with somebody in them.", m.Rooms)
	e.gauge("rooms_kept", "Rooms held in memory, watched and just emptied ones included.", m.RoomsKept)
	e.gauge("participants", "Sessions in rooms.", m.Sessions)
	e.gauge("participants_away", "Sessions that nothing comes from.", m.Away)
	e.counter("sessions_replaced", "Sessions that could not be reached, whose identity joined anew.", m.Replaced)
	e.counters("seats_refused", "Joins refused because of other seats, by whose.", "of", m.Unseated)
	e.gauge("waiting", "Who waits at rooms to be let in.", m.Waiting)
	e.counters("knocks", "How knocks ended, and why others were refused.", "outcome", m.Knocks)
	e.counter("promotions", "Participants who came to moderate because the last who did had left.", m.Promoted)
	e.counter("invitations_made", "Invitations made in rooms.", m.Invited)
	e.gauge("participants_detached", "Sessions without a connection, that may be resumed.", m.Detached)
	e.gauge("room_watchers", "Feeds that are open on rooms.", m.Watchers)
	e.gauge("signaling_connections", "WebSocket connections.", m.Connections)
	e.counter("signaling_opened_connections", "WebSocket connections opened.", m.Opened)
	e.counter("joins", "Sessions begun.", m.Joined)
	e.counter("resumes", "Sessions resumed.", m.Resumed)
	e.counter("resumes_gone", "Resumes of sessions that were gone.", m.ResumesGone)
	e.counter("signaling_renewed", "Times that clients were given new credentials, before theirs ended.", m.Renewed)
	e.counter("signaling_repeated_requests", "Requests answered from memory after a resume.", m.Repeated)
	e.counter("signaling_show_failures", "Slot maps that media refused. A mistake of ours.", m.ShowFailures)
	e.counters("signaling_messages", "Messages from clients, by type.", "type", m.Messages)
	e.counters("signaling_errors", "Errors told to clients, by code.", "code", m.Errors)
	e.counters("signaling_closes", "Connections closed, by close code; 0: ended without one.", "code", m.Closes)
	e.counters("data_deliveries", "Data channel messages to one addressee each, by outcome.", "outcome", m.Data)
}

func (e emitter) presence(m presence.Stats) {
	e.gauge("presence_watchers", "Streams and waiting long-polls.", m.Watchers)
	e.counter("presence_streams", "Event streams begun.", m.Streams)
	e.counter("presence_polls", "Long-polls answered.", m.Polls)
	e.counter("presence_snapshots", "Snapshots sent.", m.Snapshots)
	e.counter("presence_unchanged", "Answers 304.", m.Unchanged)
	e.counter("presence_events", "Events sent.", m.Events)
	e.counter("presence_resumed", "Streams and polls that went on from the position they named.", m.Resumed)
	e.counter("presence_lost", "Streams and polls that named a position that was gone.", m.Lost)
	e.counters("presence_refused", "Requests and streams refused or ended, by reason.", "reason", map[string]uint64{
		"unauthorized": m.Unauthorized, "forbidden": m.Forbidden, "busy": m.Busy, "slow": m.Slow,
		"token_full": m.TokenFull, "address_full": m.AddressFull,
	})
}

func (e emitter) relay(m turn.Stats) {
	e.gauge("turn_allocations", "Relays that are open.", m.Allocations)
	e.gauge("turn_connections", "TURN connections over TCP.", m.Conns)
	e.counter("turn_allocated", "Relays opened.", m.Allocated)
	e.counters("turn_relayed_packets", "Packets relayed; up: from clients.", "direction",
		map[string]uint64{"up": m.UpPackets, "down": m.DownPackets})
	e.counters("turn_relayed_bytes", "Payload bytes relayed; up: from clients.", "direction",
		map[string]uint64{"up": m.UpBytes, "down": m.DownBytes})
	e.counters("turn_refused", "Requests and packets refused, by reason.", "reason", m.Refused)
	e.counter("turn_bad_messages", "Messages that were no request and relayed nothing.", m.BadMessages)
	e.counter("turn_error_answers", "Error answers sent, first challenges included.", m.ErrorAnswers)
	e.counter("turn_panics", "Mistakes of ours that ended one client of the relay each.", m.Panics)
}
