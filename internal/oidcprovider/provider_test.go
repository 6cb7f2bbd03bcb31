package oidcprovider

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestRedirectsElsewhereAreRefused(t *testing.T) {
	t.Parallel()
	p := New("http://127.0.0.1", People(), "http://127.0.0.1/back")
	for redirect, want := range map[string]int{"http://127.0.0.1/back": http.StatusFound, "http://127.0.0.1/elsewhere": http.StatusBadRequest} {
		q := url.Values{"client_id": {Client}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid"}, "state": {"x"}}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/auth?"+q.Encode(), nil))
		if w.Code != want {
			t.Errorf("%s: %d %s", redirect, w.Code, w.Body)
		}
	}
}
