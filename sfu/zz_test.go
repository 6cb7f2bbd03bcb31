package sfu
import ("testing";"os";"encoding/json";"context";"strconv";"io";"log/slog")
func BenchmarkZZ(b *testing.B) {
	for _, n := range []int{4,25} {
	raw, _ := os.ReadFile("/tmp/chk/offer"+strconv.Itoa(n)+".json")
	var o Offer
	must(b, json.Unmarshal(raw, &o))
	b.Run(strconv.Itoa(n), func(b *testing.B){
	node := newTestNode(b, func(c *Config){c.Log = slog.New(slog.NewTextHandler(io.Discard,nil))})
	b.ReportAllocs()
	var ans string
	for b.Loop() {
		p, err := node.NewPeer("x", &events{})
		must(b, err)
		ans, err = p.Negotiate(context.Background(), o)
		must(b, err)
		p.Close()
	}
	b.ReportMetric(float64(len(ans)), "answer_bytes")
	})}
}
