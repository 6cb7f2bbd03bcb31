// Package uplink sees from what arrives that a publisher sends far more than its network takes.
//
// Browsers find out by themselves, from transport-wide feedback, but only after a queue is full, the reports about it have come back,
// and what was lost has been asked for again: about a second in which nothing useful arrives, and two more until those requests are
// answered. Who receives can tell after some 200 ms: packets come ever later and at a fraction of their usual rate.
//
// # Goroutines
//
//	none: the owner calls it
//
// # Invariants
//
//   - A longer way (delay that jumps and stays), jitter, random loss and a source that is turned off are no collapse: something must come
//     all the time, later and later or torn, and much less of it than before (TestNoCollapse).
//   - What it remembers is bounded, whatever timestamps say.
package uplink
