package presence_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
)

// What the other process of BenchmarkStreams is told.
const (
	crowdAddr = "PARLEY_BENCH_ADDR"
	crowdSize = "PARLEY_BENCH_SIZE"
)

// crowd is the watchers: that many connections that read what comes, in a process of their own, so that the server's
// counts are the server's. It ends when its standard input does.
func crowd(addr string) {
	size, err := strconv.Atoi(os.Getenv(crowdSize))
	if err != nil {
		panic(err)
	}
	var all sync.WaitGroup
	conns := make([]net.Conn, size)
	for i := range conns {
		if conns[i], err = net.Dial("tcp", addr); err != nil {
			panic(err)
		}
		if _, err := fmt.Fprintf(conns[i], "GET /v1/rooms/r/events HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", acceptSSE); err != nil {
			panic(err)
		}
		all.Go(func() {
			buf := make([]byte, 2048)
			for {
				if _, err := conns[i].Read(buf); err != nil {
					return
				}
			}
		})
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range conns {
		c.Close()
	}
	all.Wait()
}
