package allocate

const (
	soundBeside = 0.25 // of the estimate: so much sound and what is repeated of it may take beside pictures…
	soundAlone  = 0.80 // …and where there are none
)

// Repeats returns how many of the packets before may go with each packet of sound, most at the most, where sound takes bare bit/s
// without them: on a thin link the picture comes first.
func Repeats(estimate, bare, most int, pictures bool) int {
	share := soundAlone
	if pictures {
		share = soundBeside
	}
	n := most
	for n > 0 && float64(bare*(1+n)) > share*float64(estimate) {
		n--
	}
	return n
}
