// Package oidc signs people in by an OpenID Connect provider: the authorization code flow with PKCE, state and nonce. It is the one folder
// that imports go-oidc and oauth2.
//
// # Goroutines
//
// None: what is asked of the provider is asked by the goroutine of the request.
//
// # Invariants
//
//   - A provider that is away keeps nobody from starting: it is looked for when somebody signs in, and again a few seconds later.
//   - What belongs to a sign-in under way (state, nonce, verifier, where to go then) is in a signed cookie of that browser, good for ten
//     minutes and one return. Nothing is kept here, so a flood of beginnings takes no memory.
//   - Who comes back goes to / or /r/{room}, never to another site.
//   - An email address counts where the provider says that it is verified. An allow list looks at nothing else.
//   - At most parallel people are asked about at a time, each for at most timeout; an answer has at most maxAnswer bytes.
//   - No error and no log line has a code, a token or the client's secret.
package oidc
