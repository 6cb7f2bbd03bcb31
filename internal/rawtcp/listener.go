package rawtcp

import "net"

// Listener returns ln, with connections whose Read and Write are system calls that the runtime is not told of. What is no *net.TCPConn is
// left as it is, and so is everything where the system is not Linux.
func Listener(ln net.Listener) net.Listener { return listener{ln} }

type listener struct{ net.Listener }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wrap(c), nil
}
