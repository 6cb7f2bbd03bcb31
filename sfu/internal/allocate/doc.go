// Package allocate shares what a receiver's network carries among the videos that the receiver shows. It decides; others
// measure, probe and send.
//
// The order: screens, sharp before smooth; then class by class as the caller ranks its streams (pinned, speaking, the rest by
// the size of their tiles). Every stream gets its lowest layer before any gets a second one.
//
// # Goroutines
//
// None.
//
// # Invariants
//
//   - What is granted fits the estimate, but for a tolerance of 15 % that ends after a second, or at once when congestion is
//     seen: rates are measured and go up and down, and a switch costs more than a second of a slightly late picture.
//   - What flows and fits well within what the link takes once its queue is gone goes on while the queue drains: to switch would cost
//     more than the queue does.
//   - Nothing is paused for less than a second's shortage of up to 200 kb/s: estimates dip while a queue drains.
//   - Of two estimates the larger serves better whom it serves differently first: first among those who get anything, then among
//     those who get more.
//   - An upgrade needs a tenth more than it costs, and after a spatial downgrade a pause, which doubles when the upgrade before
//     it failed. An estimate of well over the need ends the pause: it was proven by a probe.
package allocate
