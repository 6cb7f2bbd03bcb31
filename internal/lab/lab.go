//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/parley/parley/internal/foreign"
)

// Node is one machine of the lab, a network namespace.
type Node string

// The machines. Clients reach the rest through the NAT of their side.
const (
	Internet Node = "inet" // the switch that joins SFU, TURN and the NATs' outer sides: 203.0.113.0/24
	SFU      Node = "sfu"  // 203.0.113.10
	TURN     Node = "turn" // 203.0.113.20
	NATA     Node = "natA" // 203.0.113.101, inside 10.1.0.1
	NATB     Node = "natB" // 203.0.113.102, inside 10.2.0.1
	NATC     Node = "natC" // 203.0.113.103, inside 10.3.0.1
	ClientA  Node = "cliA" // 10.1.0.2
	ClientB  Node = "cliB" // 10.2.0.2
	ClientC  Node = "cliC" // 10.3.0.2
)

var nodes = []Node{Internet, SFU, TURN, NATA, NATB, NATC, ClientA, ClientB, ClientC}

// Side is a client with its NAT.
type Side string

// The sides.
const (
	A Side = "A"
	B Side = "B"
	C Side = "C"
)

// sides are all of them.
var sides = []Side{A, B, C}

func (s Side) nat() Node    { return Node("nat" + s) }
func (s Side) client() Node { return Node("cli" + s) }

// subnet is the second byte of the side's inner network.
func (s Side) subnet() string {
	return strconv.Itoa(slices.Index(sides, s) + 1)
}

func (s Side) check() error {
	if !slices.Contains(sides, s) {
		return fmt.Errorf("lab: no side %q, there are %v", string(s), sides)
	}
	return nil
}

// Lab names the namespaces of one lab. It has no state of its own: another process with the same prefix has the same lab.
type Lab struct{ prefix string }

var prefixPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,7}$`)

// New makes a lab whose namespaces begin with prefix: a lower case letter, then up to 7 letters, digits and underscores.
func New(prefix string) (*Lab, error) {
	if !prefixPattern.MatchString(prefix) {
		return nil, fmt.Errorf("lab: prefix %q does not match %v", prefix, prefixPattern)
	}
	return &Lab{prefix: prefix}, nil
}

// Namespace is the name that ip netns knows n by.
func (l *Lab) Namespace(n Node) string { return l.prefix + string(n) }

// outer plugs {node} into the Internet with {address}.
const outer = `
link add v{node} netns {inet} type veth peer name wan netns {ns}
-n {inet} link set v{node} master br0 up
-n {ns} addr add {address}/24 dev wan
-n {ns} link set wan up
`

// cable joins a client and its NAT; inner gives both ends their addresses.
const (
	cable = `
link add lan netns {nat} type veth peer name eth0 netns {client}
`
	inner = `
-n {nat} addr add 10.{subnet}.0.1/24 dev lan
-n {nat} link set lan up
-n {client} addr add 10.{subnet}.0.2/24 dev eth0
-n {client} link set eth0 up
-n {client} route add default via 10.{subnet}.0.1
`
)

// Up builds the lab anew, all NATs restricted. It takes about 0.2 s. What ran in an old lab of this prefix keeps running
// in namespaces that nobody can reach any more: stop it first.
func (l *Lab) Up(ctx context.Context) error {
	if err := l.Down(ctx); err != nil {
		return err
	}
	for _, n := range nodes {
		if err := l.ip(ctx, "netns add {ns}\n-n {ns} link set lo up", "{ns}", l.Namespace(n)); err != nil {
			return err
		}
		if err := l.Do(n, quiet); err != nil {
			return err
		}
	}
	inet := l.Namespace(Internet)
	if err := l.ip(ctx, "-n {inet} link add br0 type bridge\n-n {inet} link set br0 up", "{inet}", inet); err != nil {
		return err
	}
	for n, address := range map[Node]string{SFU: "203.0.113.10", TURN: "203.0.113.20", NATA: "203.0.113.101", NATB: "203.0.113.102", NATC: "203.0.113.103"} {
		if err := l.ip(ctx, outer, "{node}", string(n), "{ns}", l.Namespace(n), "{inet}", inet, "{address}", address); err != nil {
			return err
		}
	}
	for _, s := range sides {
		if err := l.side(ctx, s, cable+inner); err != nil {
			return err
		}
		if err := l.Do(s.nat(), func() error {
			return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1\n"), 0)
		}); err != nil {
			return err
		}
		if err := l.SetNAT(ctx, s, Restricted); err != nil {
			return err
		}
	}
	return nil
}

// quiet keeps IPv6 off the interfaces to come: the lab is IPv4, and router solicitations at odd times would take decisions
// of a wire's seeded generator that belong to the test's frames.
func quiet() error {
	err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1\n"), 0)
	if errors.Is(err, os.ErrNotExist) { // a kernel without IPv6
		return nil
	}
	return err
}

// Down removes the namespaces that exist, and everything in them but processes.
func (l *Lab) Down(ctx context.Context) error {
	var errs []error
	for _, n := range nodes {
		if _, err := os.Stat("/run/netns/" + l.Namespace(n)); err == nil {
			errs = append(errs, l.ip(ctx, "netns del {ns}", "{ns}", l.Namespace(n)))
		}
	}
	return errors.Join(errs...)
}

// Command is a command that will run inside n: a program that package foreign allows.
func (l *Lab) Command(ctx context.Context, n Node, name string, args ...string) *exec.Cmd {
	cmd := foreign.Command(ctx, "ip", append([]string{"netns", "exec", l.Namespace(n), name}, args...)...)
	if err := foreign.Listed(name); err != nil {
		cmd.Err = err
	}
	return cmd
}

// Do runs f inside n on a thread of its own. Sockets and files that f opens stay in n and may be used from anywhere
// afterwards; goroutines that f starts do not run in n. f must return: runtime.Goexit, hence t.Fatal, would hang Do.
func (l *Lab) Do(n Node, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: see the package's invariants
		done <- func() error {
			ns, err := os.Open("/run/netns/" + l.Namespace(n))
			if err != nil {
				return fmt.Errorf("lab: %w", err)
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("lab: enter %s: %w", l.Namespace(n), err)
			}
			return f()
		}()
	}()
	return <-done
}

// side runs ip's lines for one side.
func (l *Lab) side(ctx context.Context, s Side, lines string) error {
	return l.ip(ctx, lines, "{nat}", l.Namespace(s.nat()), "{client}", l.Namespace(s.client()), "{subnet}", s.subnet())
}

// ip runs the ip command once for each line, with words replaced in pairs of old and new.
func (l *Lab) ip(ctx context.Context, lines string, replace ...string) error {
	for line := range strings.Lines(strings.NewReplacer(replace...).Replace(lines)) {
		if args := strings.Fields(line); len(args) > 0 {
			if err := run(foreign.Command(ctx, "ip", args...)); err != nil {
				return err
			}
		}
	}
	return nil
}

// run runs cmd; an error has what it said.
func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lab: %s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
