// Package token makes and checks access tokens: JWTs signed with HS256 that say which room somebody may enter, as whom,
// and what they may do there. The same tokens open WebSocket sessions and presence feeds.
//
// # Goroutines
//
// None. A Verifier never changes after it was made and is safe for concurrent use.
//
// # Invariants
//
//   - One algorithm, HS256. A token that names another one, "none" included, is invalid: the token must not choose how
//     it is checked.
//   - Every token expires. One without "exp" is invalid.
//   - What is not granted is denied: a token without "can" permits nothing.
//   - Errors and logs never hold a token or the secret.
package token
