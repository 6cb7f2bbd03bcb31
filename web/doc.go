// Package web serves the browser application and the SDK, both embedded in the binary.
//
// The files come from dist, which `npm run build` fills and CI rebuilds. Handler serves them with the caching, the
// compression and the security headers that each kind of file needs; it is mounted at "/".
//
// # Goroutines
//
// None: everything runs in the goroutine of the request.
//
// # Invariants
//
//   - A file is served only under its exact path: there is no directory listing, and what is not in dist is a 404.
//   - Names under /assets carry a hash of their content, so they may be kept for ever; everything else is revalidated
//     by an ETag that is a hash of the content. A new binary is therefore seen at the next load.
//   - Pages run no inline script and no code of other origins (Content-Security-Policy), and are shown in no frame.
//   - The SDK alone may be fetched by pages of any origin: it is code, and carries nobody's data.
package web
