// Package hosts knows who may open rooms on a server: whoever signed in with its passphrase, with the link that it printed when it
// started, or by a provider that somebody else has asked (OpenID Connect). A host holds a session, a signed string that his browser
// keeps as a cookie.
//
// # Goroutines
//
// None.
//
// # Invariants
//
//   - A passphrase is known by its hash alone, and no error or log line holds one, nor a key or a session.
//   - One passphrase is hashed at a time, and few wait: a flood of tries takes no more than a part of one core. Wrong tries of an
//     address make it wait longer and longer, and those of all addresses together are bounded.
//   - A session is no access token and an access token is no session: they are signed with different keys.
//   - A session ends with the way that its holder signed in by: another passphrase, another provider, end it.
package hosts
