package sfu
import ("testing";"context";"runtime";"runtime/pprof";"os";"fmt";"strings";"bytes";"time";"sync";"github.com/pion/webrtc/v4")
func sd(a string) webrtc.SessionDescription { return webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a} }
func newBrowser0(t testing.TB, n *Node, id string, c browserConfig) *browser {
	return newBrowser(t, n, id, c)
}
func TestZZ(t *testing.T) {
	const N = 20
	var n *Node
	pprof.Do(context.Background(), pprof.Labels("side","node"), func(context.Context){ n = newTestNode(t, nil) })
	var bs []*browser
	for i := range N {
		pprof.Do(context.Background(), pprof.Labels("side","client"), func(context.Context){
			b := newBrowser0(t, n, fmt.Sprint(i), browserConfig{slots: 4, simulcast:true})
			bs = append(bs, b)
		})
	}
	var wg sync.WaitGroup
	for _, b := range bs {
		wg.Go(func(){
			pprof.Do(context.Background(), pprof.Labels("side","client"), func(ctx context.Context){
				o := b.offer(nil)
				var ans string
				pprof.Do(ctx, pprof.Labels("side","server"), func(ctx context.Context){
					var err error
					ans, err = b.peer.Negotiate(ctx, o); must(t, err)
				})
				b.answer = ans
				must(t, b.pc.SetRemoteDescription(sd(ans)))
			})
			b.waitState(PeerConnected)
		})
	}
	wg.Wait()
	for i, b := range bs {
		cam, err := b.peer.Publish(Camera, false); must(t, err)
		mic, err := b.peer.Publish(Microphone, false); must(t, err)
		for k := range 4 { _ = bs[(i+k+1)%N].peer }
		must(t, bs[(i+1)%N].peer.Show([]SlotView{{Slot:0, Video: cam, Audio: mic, Width: 320, Height: 180}}))
		b.sendMedia(byte(i))
	}
	time.Sleep(3*time.Second)
	var buf bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&buf, 1)
	for _, blk := range strings.Split(buf.String(), "\n\n") {
		if !strings.Contains(blk, `"side":"server"`) && !strings.Contains(blk, `"side":"node"`) { continue }
		lines := strings.Split(blk, "\n")
		var cnt int; fmt.Sscanf(lines[0], "%d @", &cnt)
		var keep []string
		for _, l := range lines[1:] { if strings.Contains(l, "pion") || strings.Contains(l,"parley") { f := strings.Fields(l); if len(f) > 2 { keep = append(keep, f[2]) } } }
		side := "server"; if strings.Contains(blk, `"side":"node"`) { side="node" }
		fmt.Println(side, cnt, strings.Join(keep[max(0,len(keep)-3):], " < "))
	}
	runtime.GC()
	f, _ := os.Create("/tmp/sfu_heap.pb"); pprof.Lookup("heap").WriteTo(f, 0); f.Close()
	fmt.Printf("%+v\n", n.Stats())
}
