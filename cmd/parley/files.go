package main

import (
	"context"
	"fmt"
	"log/slog"
)

// Files that are never given to clients: the listeners, the log, certificates, DNS; and those who ask for health and metrics.
const (
	filesKept   = 128
	adminOfKept = 4 // the part that admin connections may take: one in so many
)

// fewConnections is what the log warns below: a public server soon has more.
const fewConnections = 4096

// places is how many connections of each kind the process can hold: each takes a file.
type places struct {
	http, perAddress int
	tcp, relays      int
	watchers         int // of http: the rest is for calls and pages
	admin            int
}

// fit divides the files the process may open (0: no bound is known) among all that takes one. What is configured together beyond that is
// reduced in proportion, so that no kind of client can take another's share; of HTTP a quarter is kept from who only watches.
func (l *loaded) fit(files int) places {
	p := places{
		http: l.Connections.HTTP, perAddress: min(l.Connections.HTTPPerAddress, l.Connections.HTTP), tcp: l.Connections.TCP,
		relays: l.Turn.Allocations, watchers: l.Presence.Watchers, admin: filesKept / adminOfKept,
	}
	if l.TCP == off {
		p.tcp = 0
	}
	if !l.Turn.Enabled {
		p.relays = 0
	}
	if files > 0 {
		kept := min(filesKept, files/4)
		p.admin = max(kept/adminOfKept, 1)
		if want, have := p.http+p.tcp+p.relays, files-kept; want > have {
			for _, n := range []*int{&p.http, &p.tcp, &p.relays} {
				*n = min(*n, max(int(int64(*n)*int64(have)/int64(want)), 1))
			}
			p.perAddress = min(p.perAddress, max(p.http/4, 16))
		}
	}
	p.watchers = min(p.watchers, max(p.http*3/4, 1))
	return p
}

// say tells what was reduced: as a warning where that was set on purpose, or leaves little.
func (p places) say(ctx context.Context, l *loaded, files int, log *slog.Logger) {
	level, reduced := slog.LevelInfo, []any{"files", files}
	for _, part := range []struct {
		key           string
		configured, n int
	}{
		{"connections.http", l.Connections.HTTP, p.http},
		{"connections.tcp", l.Connections.TCP, p.tcp},
		{"turn.allocations", l.Turn.Allocations, p.relays},
		{"presence.watchers", l.Presence.Watchers, p.watchers},
	} {
		if part.n == 0 || part.n >= part.configured {
			continue
		}
		reduced = append(reduced, part.key, fmt.Sprintf("%d of %d", part.n, part.configured))
		if l.from[part.key] != "" || p.http < fewConnections {
			level = slog.LevelWarn
		}
	}
	if len(reduced) > 2 {
		log.Log(ctx, level, "the limits together need more open files than this process may have (LimitNOFILE, ulimit -n): they are reduced", reduced...)
	}
}
