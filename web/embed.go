package web

import "embed"

// dist is what `npm run build` made of sdk and app. It is committed, so that building the server needs no Node.
//
//go:embed all:dist
var dist embed.FS
