// Package steady tells the time by the monotonic clock alone, so that numbers made of its times (UnixNano) can be compared with each
// other whatever happens to the machine's clock meanwhile: NTP after a sleep, a person, a virtual machine that resumes. Only what is
// shown to people or compared with other machines' times (tokens, dates) is read from the wall clock, by time.Now.
//
// # Goroutines
//
// None.
//
// # Invariants
//
//   - Two times of Now are apart by as much in UnixNano as in Sub.
//   - The date of a time of Now is right as of the process's start, and does not follow later corrections.
package steady
