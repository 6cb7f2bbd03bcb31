package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is the kernel's struct of that name; Go pads it alike.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// segmentControl is the control message that carries a segment size (cmsghdr and a uint16).
const segmentControl = (unix.SizeofCmsghdr + 2 + 7) &^ 7

// system is what Linux needs to know of the socket.
type system struct {
	raw syscall.RawConn
	six bool // an AF_INET6 socket: it wants IPv4 addresses mapped
	all bool // it has all addresses of the machine, and tells at which a datagram arrived
	gro bool // the kernel could join received datagrams

	proven atomic.Bool // a segmented message was sent
}

func (s *system) init(udp *net.UDPConn) (Mode, error) {
	raw, err := udp.SyscallConn()
	if err != nil {
		return 0, err
	}
	s.raw = raw
	mode, fault := Multiple, error(nil)
	err = raw.Control(func(fd uintptr) {
		domain, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
		if err != nil {
			fault = fmt.Errorf("socket domain: %w", err)
			return
		}
		s.six = domain == unix.AF_INET6
		// 0 is the default and changes nothing: kernels without GSO do not know the option.
		if unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, 0) == nil {
			mode = Segments
		}
		if a, ok := udp.LocalAddr().(*net.UDPAddr); ok && a.IP.IsUnspecified() {
			s.all = s.tell(int(fd)) == nil
		}
		s.gro = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 0) == nil
	})
	return mode, errors.Join(err, fault)
}

// tell makes the socket tell at which address each datagram arrived.
func (s *system) tell(fd int) error {
	if s.six { // of IPv4, too: mapped
		return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
}

// infoControl is the longest control message that carries an address: cmsghdr and in6_pktinfo.
const infoControl = (unix.SizeofCmsghdr + unix.SizeofInet6Pktinfo + 7) &^ 7

// source is the control message that says from which address a datagram leaves.
type source struct {
	ctl [infoControl]byte
	len int // 0: the system chooses
}

// leave fills the source of an address. The interface is left to the route.
func (s *system) leave(o *source, from netip.Addr) {
	o.len = 0
	if !s.all || !from.IsValid() {
		return
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&o.ctl))
	if s.six {
		h.Level, h.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
		h.SetLen(unix.SizeofCmsghdr + unix.SizeofInet6Pktinfo)
		*(*unix.Inet6Pktinfo)(unsafe.Pointer(&o.ctl[unix.SizeofCmsghdr])) = unix.Inet6Pktinfo{Addr: from.As16()}
		o.len = infoControl
		return
	}
	if from = from.Unmap(); !from.Is4() {
		return
	}
	h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
	h.SetLen(unix.SizeofCmsghdr + unix.SizeofInet4Pktinfo)
	*(*unix.Inet4Pktinfo)(unsafe.Pointer(&o.ctl[unix.SizeofCmsghdr])) = unix.Inet4Pktinfo{Spec_dst: from.As4()}
	o.len = (unix.SizeofCmsghdr + unix.SizeofInet4Pktinfo + 7) &^ 7
}

// put fills the header of one datagram.
func (o *source) put(h *unix.Msghdr, iov *unix.Iovec, to *sockaddr) {
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(&to.six)), to.len
	h.Iov = iov
	h.SetIovlen(1)
	h.Control = nil
	if o.len > 0 {
		h.Control = &o.ctl[0]
	}
	h.SetControllen(o.len)
}

// arrived returns the address at which a datagram arrived, zero where its control messages do not tell.
func arrived(ctl []byte) netip.Addr {
	if len(ctl) < unix.SizeofCmsghdr {
		return netip.Addr{}
	}
	h, data := (*unix.Cmsghdr)(unsafe.Pointer(&ctl[0])), ctl[unix.SizeofCmsghdr:]
	switch {
	case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
		return netip.AddrFrom16((*unix.Inet6Pktinfo)(unsafe.Pointer(&data[0])).Addr).Unmap()
	case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
		return netip.AddrFrom4((*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0])).Spec_dst)
	}
	return netip.Addr{}
}

// sockaddr is a sockaddr_in or a sockaddr_in6.
type sockaddr struct {
	six unix.RawSockaddrInet6 // the longer one; IPv4 uses its beginning
	len uint32
}

func (s *system) fill(sa *sockaddr, addr netip.AddrPort) {
	ip := addr.Addr()
	if !s.six {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&sa.six))
		four.Family = unix.AF_INET
		putPort(&four.Port, addr.Port())
		if ip = ip.Unmap(); ip.Is4() {
			four.Addr = ip.As4()
		}
		sa.len = unix.SizeofSockaddrInet4
		return
	}
	sa.six.Family = unix.AF_INET6
	putPort(&sa.six.Port, addr.Port())
	sa.six.Addr = ip.As16()
	if zone := ip.Zone(); zone != "" {
		sa.six.Scope_id = scope(zone)
	}
	sa.len = unix.SizeofSockaddrInet6
}

func scope(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}

// putPort writes a port in network order.
func putPort(at *uint16, port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(at))[:], port)
}

func (sa *sockaddr) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&sa.six.Port))[:])
	if sa.six.Family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&sa.six)).Addr), port)
	}
	ip := netip.AddrFrom16(sa.six.Addr).Unmap()
	if sa.six.Scope_id != 0 && ip.Is6() && ip.IsLinkLocalUnicast() {
		ip = ip.WithZone(strconv.FormatUint(uint64(sa.six.Scope_id), 10))
	}
	return netip.AddrPortFrom(ip, port)
}

// Receiver reads batches of datagrams into its own buffers.
type Receiver struct {
	conn  *Conn
	hdrs  [receiveLen]mmsghdr
	iovs  [receiveLen]unix.Iovec
	names [receiveLen]sockaddr
	bufs  [receiveLen][receiveSlot]byte
	infos [receiveLen][infoControl]byte // where the socket tells

	got    int
	fault  error
	fd     uintptr               // while Serve runs
	handle func(n int)           // Serve's
	read   func(fd uintptr) bool // made once: a closure a call would be an allocation a call
	again  func(fd uintptr)
	serve  func(fd uintptr) bool
}

// NewReceiver returns a reader of the socket. It is for one goroutine at a time.
func (c *Conn) NewReceiver() *Receiver {
	r := &Receiver{conn: c, got: receiveLen}
	for i := range r.hdrs {
		r.iovs[i].Base = &r.bufs[i][0]
		r.iovs[i].SetLen(receiveSlot)
		h := &r.hdrs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&r.names[i].six))
		h.Iov = &r.iovs[i]
		h.SetIovlen(1)
		if c.os.all {
			h.Control = &r.infos[i][0]
		}
	}
	r.read, r.again, r.serve = r.once, r.append, r.drain
	return r
}

// Serve calls handle with the length of each batch, until the socket is closed or the system reports an error. It stays within one
// read of the runtime's poller, which so need not be asked anew, nor the socket, whether there was something meanwhile:
// one wake-up, one or two recvmmsg.
func (r *Receiver) Serve(handle func(n int)) error {
	r.handle = handle
	if err := r.conn.os.raw.Read(r.serve); err != nil {
		return err
	}
	return r.fault
}

// drain handles batches until the socket is empty; then false makes the runtime wait.
func (r *Receiver) drain(fd uintptr) bool {
	r.fd = fd
	for {
		r.renew()
		if !r.once(fd) {
			return false
		}
		if r.got == 0 {
			return true
		}
		r.count(r.got)
		r.handle(r.got)
		if r.got < receiveLen { // the kernel found no more: what comes from now on wakes us
			return false
		}
	}
}

// renew sets what the kernel overwrote.
func (r *Receiver) renew() {
	for i := range r.got {
		r.hdrs[i].hdr.Namelen = unix.SizeofSockaddrInet6
		if r.conn.os.all {
			r.hdrs[i].hdr.SetControllen(infoControl)
		}
	}
	r.got = 0
}

func (r *Receiver) count(packets int) {
	r.conn.count.readCalls.Add(1)
	r.conn.count.readPackets.Add(uint64(packets))
}

// Receive waits for datagrams and returns how many came. The socket's deadline and its being closed end the wait.
func (r *Receiver) Receive() (int, error) {
	r.renew()
	if err := r.conn.os.raw.Read(r.read); err != nil {
		return 0, err
	}
	if r.fault != nil {
		return 0, r.fault
	}
	r.count(r.got)
	return r.got, nil
}

// More adds what has come since to the batch, without waiting, and returns how many are in it now. Packets that a burst's first
// ones woke the reader for are in the socket by the time these were looked at.
func (r *Receiver) More() int {
	if r.got == 0 || r.got == receiveLen {
		return r.got
	}
	before := r.got
	if r.fd != 0 {
		r.append(r.fd)
	} else if err := r.conn.os.raw.Control(r.again); err != nil {
		return before
	}
	if r.got > before {
		r.count(r.got - before)
	}
	return r.got
}

func (r *Receiver) append(fd uintptr) {
	n, _, e := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.hdrs[r.got])), uintptr(receiveLen-r.got),
		unix.MSG_DONTWAIT, 0, 0)
	if e == 0 {
		r.got += int(n)
	}
}

// once is one attempt; false makes the runtime wait for the socket.
func (r *Receiver) once(fd uintptr) bool {
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.hdrs[0])), receiveLen,
			unix.MSG_DONTWAIT, 0, 0)
		switch e {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		case 0:
			r.got, r.fault = int(n), nil
		default:
			r.got, r.fault = 0, e
		}
		return true
	}
}

// Packet returns the datagram i of the last batch, valid until the next Receive.
func (r *Receiver) Packet(i int) []byte { return r.bufs[i][:r.hdrs[i].n] }

// From returns who sent it; the address is never an IPv4-mapped one.
func (r *Receiver) From(i int) netip.AddrPort { return r.names[i].addrPort() }

// At returns at which of our addresses it arrived, where the socket has them all; else zero.
func (r *Receiver) At(i int) netip.Addr {
	if !r.conn.os.all {
		return netip.Addr{}
	}
	return arrived(r.infos[i][:min(int(r.hdrs[i].hdr.Controllen), infoControl)])
}

// transmitter holds the arguments of sendmmsg.
type transmitter struct {
	hdrs  [maxMessages]mmsghdr
	iovs  [maxMessages]unix.Iovec
	ctl   [maxMessages][segmentControl + infoControl]byte
	count int // of hdrs that are filled

	sent  int
	fault syscall.Errno
	write func(fd uintptr) bool
}

func (t *transmitter) init() {
	t.write = t.once
	for i := range t.hdrs {
		t.hdrs[i].hdr.Iov = &t.iovs[i]
		t.hdrs[i].hdr.SetIovlen(1)
		c := (*unix.Cmsghdr)(unsafe.Pointer(&t.ctl[i]))
		c.Level, c.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.SizeofCmsghdr + 2)
	}
}

// put fills the next header with b, in segments of size where that is not 0.
func (t *transmitter) put(b []byte, to *Dest, size int) {
	i := t.count
	t.count++
	t.iovs[i].Base = &b[0]
	t.iovs[i].SetLen(len(b))
	h := &t.hdrs[i].hdr
	h.Name = (*byte)(unsafe.Pointer(&to.raw.six))
	h.Namelen = to.raw.len
	if size == 0 {
		h.Control = nil
		if to.info.len > 0 {
			h.Control = &to.info.ctl[0]
		}
		h.SetControllen(to.info.len)
		return
	}
	*(*uint16)(unsafe.Pointer(&t.ctl[i][unix.SizeofCmsghdr])) = uint16(size)
	h.Control = &t.ctl[i][0]
	if to.info.len > 0 {
		copy(t.ctl[i][segmentControl:], to.info.ctl[:to.info.len])
	}
	h.SetControllen(segmentControl + to.info.len)
}

// once sends what was put. It never waits.
func (t *transmitter) once(fd uintptr) bool {
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&t.hdrs[0])), uintptr(t.count),
			unix.MSG_DONTWAIT, 0, 0)
		if e == unix.EINTR {
			continue
		}
		t.sent, t.fault = int(n), e
		if e != 0 {
			t.sent = 0
		}
		return true
	}
}

// send does one system call with what was put, and returns how many left and why the next did not, if it was tried.
func (c *Conn) send(t *transmitter) (int, syscall.Errno) {
	c.count.calls.Add(1)
	if err := c.os.raw.Write(t.write); err != nil {
		return 0, unix.EBADF // closed
	}
	t.count = 0
	return t.sent, t.fault
}

// transmit sends the first messages and returns how many are dealt with, at least one.
func (c *Conn) transmit(s *Sender, msgs []message) int {
	if c.Mode() == Plain {
		if !c.sendSingly(s, &msgs[0]) {
			c.refused(&msgs[0])
		}
		return 1
	}
	t := &s.out
	t.count = 0
	for i := range min(len(msgs), maxMessages) {
		m := &msgs[i]
		size := 0
		if m.packets > 1 {
			size = m.size
		}
		t.put(s.slab[m.start:m.end], m.to, size)
	}
	n, fault := c.send(t)
	if c.sent(msgs[:n]) > n && !c.os.proven.Load() { // more datagrams than messages: one was segmented
		c.os.proven.Store(true)
	}
	if n > 0 || fault == 0 {
		return max(n, 1)
	}
	return c.failed(s, msgs, fault)
}

// failed deals with a first message that was not sent.
func (c *Conn) failed(s *Sender, msgs []message, fault syscall.Errno) int {
	m := &msgs[0]
	switch {
	case fault == unix.EAGAIN || fault == unix.ENOBUFS:
		s.overflow(msgs)
		return len(msgs)
	case fault == unix.ENOSYS:
		c.stepDown(Plain, fault)
		return 0
	case m.packets > 1 && (fault == unix.EIO || fault == unix.EINVAL || fault == unix.EMSGSIZE || fault == unix.EOPNOTSUPP):
		c.count.broken.Add(1)
		if c.sendSingly(s, m) { // so it was the segmentation: of this device, or of a path with a small MTU
			if fault == unix.EIO || !c.os.proven.Load() {
				c.stepDown(Multiple, fault)
			}
			return 1
		}
	}
	c.refused(m)
	return 1
}

// sendSingly sends a message's datagrams each with its own system call. False: none left.
func (c *Conn) sendSingly(s *Sender, m *message) bool {
	sent := 0
	for at := m.start; at < m.end; at += m.size {
		c.count.calls.Add(1)
		b := s.slab[at:min(at+m.size, m.end)]
		if c.sendOne(b, m.to) == nil {
			sent++
		}
	}
	if sent == 0 {
		return false
	}
	c.count.messages.Add(uint64(sent))
	c.count.packets.Add(uint64(sent))
	if lost := m.packets - sent; lost > 0 {
		c.count.failed.Add(uint64(lost))
		m.owner.Dropped(lost)
	}
	return true
}

// sendOne is one sendmsg that does not wait. It allocates: it is for what happens seldom.
func (c *Conn) sendOne(b []byte, to *Dest) error {
	var fault error
	var h unix.Msghdr
	iov := unix.Iovec{Base: &b[0]}
	iov.SetLen(len(b))
	to.info.put(&h, &iov, &to.raw)
	err := c.os.raw.Write(func(fd uintptr) bool {
		_, _, e := unix.Syscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&h)), unix.MSG_DONTWAIT)
		if e != 0 {
			fault = e
		}
		return true
	})
	return errors.Join(err, fault)
}
