package lan

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Unix(1_800_000_000, 0)

// desk is a machine whose interfaces the test changes.
type desk struct {
	list  []Interface
	err   error
	route string
	host  string
	asked int
}

func (d *desk) machine() Machine {
	return Machine{
		Interfaces: func() ([]Interface, error) { d.asked++; return d.list, d.err },
		Route:      func() netip.Addr { ip, _ := netip.ParseAddr(d.route); return ip },
		Hostname: func() (string, error) {
			if d.host == "" {
				return "", errors.New("no name")
			}
			return d.host, nil
		},
	}
}

func itf(name string, index int, prefixes ...string) Interface {
	i := Interface{Name: name, Index: index}
	for _, p := range prefixes {
		i.Prefixes = append(i.Prefixes, netip.MustParsePrefix(p))
	}
	return i
}

// laptop is at home, with a container network, a VPN and a second, public interface.
func laptop() *desk {
	return &desk{host: "Laptop.example.org", route: "192.168.1.23", list: []Interface{
		itf("lo", 1, "127.0.0.1/8", "::1/128"),
		itf("docker0", 2, "172.17.0.1/16"),
		itf("wan0", 3, "198.51.100.7/24", "2001:db8::7/64", "fe80::7/64", "100.64.3.4/10"),
		itf("wg0", 4, "10.9.0.2/32"),
		itf("wlan0", 5, "fd12::23/64", "192.168.1.23/24", "fe80::23/64"),
		itf("eth1", 6, "10.1.2.3/16"),
	}}
}

func mustNew(t *testing.T, d *desk) *Network {
	t.Helper()
	n, err := New(d.machine(), start)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhoIsANeighbour(t *testing.T) {
	t.Parallel()
	n := mustNew(t, laptop())
	for from, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "127.9.9.9": true,
		"192.168.1.1": true, "192.168.1.254": true, "::ffff:192.168.1.9": true, "10.1.200.1": true, "172.17.0.2": true, "fd12::99": true,
		"fe80::99%wlan0": true, "fe80::99%5": true,
		"192.168.2.1": false, "10.2.0.1": false, "10.9.0.1": false, "172.18.0.1": false, "fd13::1": false,
		"198.51.100.8": false, "198.51.100.7": false, "2001:db8::7": false, "8.8.8.8": false, "100.64.3.5": false,
		"fe80::99%wan0": false, "fe80::99%3": false, "fe80::99": false, "169.254.1.1": false, "0.0.0.0": false,
	} {
		if got := n.Admits(netip.MustParseAddr(from), start); got != want {
			t.Errorf("%s: %v, want %v", from, got, want)
		}
	}
	wide := mustNew(t, &desk{host: "wide", list: []Interface{itf("tun0", 1, "192.168.7.7/0")}})
	if wide.Admits(netip.MustParseAddr("8.8.8.8"), start) || !wide.Admits(netip.MustParseAddr("192.168.9.9"), start) {
		t.Error("an interface whose network is everything lets everybody in, or nobody")
	}
	if n.Admits(netip.Addr{}, start) {
		t.Error("somebody without an address was let in")
	}
}

func TestAddressesInTheOrderToTellThem(t *testing.T) {
	t.Parallel()
	d := laptop()
	addrs := func() string {
		return joined(mustNew(t, d).View().Addrs)
	}
	if got, want := addrs(), "192.168.1.23 10.1.2.3 172.17.0.1 10.9.0.2 fd12::23"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	d.route = "198.51.100.7" // public: no word about the private ones
	if got, want := addrs(), "192.168.1.23 10.1.2.3 172.17.0.1 10.9.0.2 fd12::23"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	d.route = "10.1.2.3"
	if got, want := addrs(), "10.1.2.3 192.168.1.23 172.17.0.1 10.9.0.2 fd12::23"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func joined(list []netip.Addr) string {
	var out []string
	for _, ip := range list {
		out = append(out, ip.String())
	}
	return strings.Join(out, " ")
}

func TestNoPrivateNetwork(t *testing.T) {
	t.Parallel()
	d := &desk{list: []Interface{itf("lo", 1, "127.0.0.1/8"), itf("eth0", 2, "203.0.113.4/24", "fe80::4/64")}}
	if _, err := New(d.machine(), start); !errors.Is(err, ErrNoAddress) {
		t.Errorf("got %v", err)
	}
	d.err = errors.New("the system does not tell")
	if _, err := New(d.machine(), start); !errors.Is(err, d.err) {
		t.Errorf("got %v", err)
	}
}

func TestTheNetworkChanges(t *testing.T) {
	t.Parallel()
	d := laptop()
	n := mustNew(t, d)
	stranger := netip.MustParseAddr("192.168.7.4")
	d.list = append(d.list, itf("usb0", 9, "192.168.7.1/24"))
	if n.Admits(stranger, start.Add(refresh/2)) || d.asked != 1 {
		t.Errorf("the interfaces were read %d times within a second", d.asked)
	}
	if !n.Admits(stranger, start.Add(refresh)) {
		t.Error("a neighbour in a network that came up a second ago is refused")
	}
	for range 100 {
		n.Admits(netip.MustParseAddr("8.8.8.8"), start.Add(time.Hour)) // can never be one
	}
	if d.asked != 2 {
		t.Errorf("the interfaces were read %d times", d.asked)
	}
	d.list = d.list[:len(d.list)-1]
	if changed, err := n.Look(start.Add(2 * time.Hour)); !changed || err != nil || n.Admits(stranger, start.Add(2*time.Hour)) {
		t.Errorf("changed %v, %v, and neighbours of a network that is gone are let in", changed, err)
	}
	if changed, err := n.Look(start.Add(3 * time.Hour)); changed || err != nil {
		t.Errorf("nothing changed, but: %v, %v", changed, err)
	}
	d.list = nil
	if _, err := n.Look(start.Add(4 * time.Hour)); !errors.Is(err, ErrNoAddress) || !n.Admits(netip.MustParseAddr("192.168.1.9"), start.Add(4*time.Hour)) {
		t.Errorf("%v, and what was known is forgotten", err)
	}
}

func TestHostNames(t *testing.T) {
	t.Parallel()
	v := mustNew(t, laptop()).View()
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "laptop": true, "LAPTOP.local": true, "laptop.local.": true, "laptop.example.org": true,
		"192.168.1.23": true, "fd12::23": true, "10.1.2.3": true,
		"192.168.1.24": false, "198.51.100.7": false, "evil.example": false, "laptop.evil.example": false, "": false, ".": false,
		"192.168.1.23.evil.example": false, "local": false, "0.0.0.0": false,
	} {
		if got := v.Answers(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
	for host, want := range map[string][]string{
		"":           {"localhost"},
		"localhost":  {"localhost", "localhost.local"},
		"my_machine": {"localhost"},
		"10.0.0.1":   {"localhost", "10", "10.local"},
		"a..b":       {"localhost", "a", "a.local"},
	} {
		if got := names((&desk{host: host}).machine()); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	for _, s := range []string{"localhost", "192.168.1.23", "fe80::1%wlan0", "[::1]", "a.", "%", "LAPTOP.LOCAL.."} {
		f.Add(s)
	}
	n, err := New(laptop().machine(), start)
	if err != nil {
		f.Fatal(err)
	}
	v := n.View()
	f.Fuzz(func(t *testing.T, host string) {
		if !v.Answers(host) {
			return
		}
		plain := strings.ToLower(strings.TrimSuffix(host, "."))
		ip, err := netip.ParseAddr(plain)
		if !slices.Contains(v.Names, plain) && (err != nil || !ip.Unmap().IsLoopback() && !slices.Contains(v.Addrs, ip.Unmap().WithZone(""))) {
			t.Errorf("answers to %q", host)
		}
	})
}

func TestThisMachine(t *testing.T) {
	t.Parallel()
	list, err := This().Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(list, func(i Interface) bool {
		return slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Addr().IsLoopback() })
	}) {
		t.Errorf("no loopback among %v", list)
	}
	This().Route() // there may be none
}
