package main

import (
	"log/slog"
	"net/http"
)

func newPages(_ *loaded, _ *slog.Logger) (http.Handler, error) { return http.NotFoundHandler(), nil }
