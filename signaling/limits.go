package signaling

import (
	"errors"
	"fmt"

	"github.com/parley/parley/signaling/internal/names"
)

// Limits bound what one client can make the server do or hold. Sizes are bytes unless the name says otherwise. The
// JSON goes to clients in welcome.
type Limits struct {
	MessageBytes      int `json:"message_bytes"`       // default 64 KiB
	OfferBytes        int `json:"offer_bytes"`         // of join and negotiate, which carry SDP; default 256 KiB
	MessagesPerSecond int `json:"messages_per_second"` // default 30
	MessageBurst      int `json:"message_burst"`       // default 90
	Participants      int `json:"participants"`        // of a room; default 100
	SeatsPerIdentity  int `json:"-"`                   // sessions of one identity in a room; default 4
	SeatsPerAddress   int `json:"-"`                   // sessions of one client address (IPv6: one /64) on the server; default 200
	Rooms             int `json:"-"`                   // with somebody in them; default 1000
	WatchedRooms      int `json:"-"`                   // with watchers but nobody in them; default 1000
	Bans              int `json:"-"`                   // identities that a room keeps out; default 1000
	Waiting           int `json:"-"`                   // people who knock at a room; default 50
	WaitingPerAddress int `json:"-"`                   // of these, of one client address (IPv6: one /64); default 5
	Invitations       int `json:"-"`                   // of a room that are good at once, as who makes them enforces it; default 100
	Publications      int `json:"publications"`        // of a participant; default 4
	Slots             int `json:"slots"`               // of a session; default 25
	Tiles             int `json:"tiles"`               // of one subscribe; default 100
	NameChars         int `json:"name_chars"`          // characters; default 64
	IdentityBytes     int `json:"identity_bytes"`      // default 128
	MetadataBytes     int `json:"metadata_bytes"`      // default 4 KiB
	TextBytes         int `json:"text_bytes"`          // of a chat message; default 4 KiB
	SignalBytes       int `json:"signal_bytes"`        // of a signal's data; default 16 KiB
	DataBytes         int `json:"data_bytes"`          // of a data channel frame, as the SFU enforces it; default 64 KiB
	LogEntries        int `json:"-"`                   // events a room keeps for those who reconnect; default 1024
	History           int `json:"history"`             // chat messages a newcomer sees; default 100
}

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.MessageBytes, 64 << 10},
		{&l.OfferBytes, 256 << 10},
		{&l.MessagesPerSecond, 30},
		{&l.MessageBurst, 90},
		{&l.Participants, 100},
		{&l.SeatsPerIdentity, 4},
		{&l.SeatsPerAddress, 200},
		{&l.Rooms, 1000},
		{&l.WatchedRooms, 1000},
		{&l.Bans, 1000},
		{&l.Waiting, 50},
		{&l.WaitingPerAddress, 5},
		{&l.Invitations, 100},
		{&l.Publications, 4},
		{&l.Slots, 25},
		{&l.Tiles, 100},
		{&l.NameChars, 64},
		{&l.IdentityBytes, 128},
		{&l.MetadataBytes, 4 << 10},
		{&l.TextBytes, 4 << 10},
		{&l.SignalBytes, 16 << 10},
		{&l.DataBytes, 64 << 10},
		{&l.LogEntries, 1024},
		{&l.History, 100},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return l
}

// Validate reports the first limit that makes no sense. Zero means the default.
func (l Limits) Validate() error {
	l = l.withDefaults()
	for _, c := range []struct {
		name            string
		value, min, max int
	}{
		{"message bytes", l.MessageBytes, 1 << 10, 16 << 20},
		{"offer bytes", l.OfferBytes, 1 << 10, 16 << 20},
		{"messages per second", l.MessagesPerSecond, 1, 1 << 20},
		{"message burst", l.MessageBurst, 1, 1 << 20},
		{"participants", l.Participants, 1, 1 << 20},
		{"seats per identity", l.SeatsPerIdentity, 1, 1 << 20},
		{"seats per address", l.SeatsPerAddress, 1, 1 << 20},
		{"rooms", l.Rooms, 1, 1 << 20},
		{"watched rooms", l.WatchedRooms, 1, 1 << 20},
		{"bans", l.Bans, 1, 1 << 20},
		{"waiting", l.Waiting, 1, 1 << 20},
		{"waiting per address", l.WaitingPerAddress, 1, 1 << 20},
		{"invitations", l.Invitations, 1, 10_000},
		{"publications", l.Publications, 1, 4},
		{"slots", l.Slots, 1, 256},
		{"tiles", l.Tiles, 1, 1 << 12},
		{"name chars", l.NameChars, 1, 1 << 10},
		{"identity bytes", l.IdentityBytes, 1, 1 << 10},
		{"metadata bytes", l.MetadataBytes, 2, 1 << 20},
		{"text bytes", l.TextBytes, 1, 1 << 20},
		{"signal bytes", l.SignalBytes, 1, 1 << 20},
		{"data bytes", l.DataBytes, 1 << 10, 256 << 10},
		{"log entries", l.LogEntries, 16, 1 << 20},
		{"history", l.History, 1, 1 << 14},
	} {
		if c.value < c.min || c.value > c.max {
			return fmt.Errorf("limit of %s: %d is not from %d to %d", c.name, c.value, c.min, c.max)
		}
	}
	if l.OfferBytes < l.MessageBytes {
		return errors.New("limit of offer bytes: less than that of message bytes")
	}
	return nil
}

// bytesPerMessage is what a message may have to count once against the rate. Offers cost a server time by their length: 250 KiB
// of SDP took 50 ms and more.
const bytesPerMessage = 8 << 10

// cost is how many messages one of n bytes counts as: never more than a client that was silent may send.
func (l Limits) cost(n int) int { return min(1+n/bytesPerMessage, l.MessageBurst) }

// ValidRoom reports whether name may name a room: 1 to 64 characters of A-Z a-z 0-9 . _ ~ -, and neither "." nor "..".
func ValidRoom(name string) bool { return names.Room(name) }
