package presence

import (
	"strconv"
	"strings"
)

// wantsStream decides between SSE and JSON by the values of the Accept header (RFC 9110 section 12.5.1): a stream where
// text/event-stream is accepted and no less welcome than JSON. Where one wildcard covers both, and without the header,
// it is JSON: that is what curl and fetch send when nobody thought about it.
func wantsStream(accept []string) bool {
	stream, plain := preference{-1, 0}, preference{-1, 0}
	for _, value := range accept {
		for item := range strings.SplitSeq(value, ",") {
			media, params, _ := strings.Cut(item, ";")
			media = strings.ToLower(strings.TrimSpace(media))
			q := quality(params)
			stream.offer(media, "text/event-stream", q)
			plain.offer(media, "application/json", q)
		}
	}
	if stream.q == 0 || stream.q < plain.q {
		return false
	}
	return stream.q > plain.q || stream.specific >= plain.specific && stream.specific > 0
}

// preference is the quality of the most specific range that matches one media type: 0 for */*, 1 for type/*, 2 for it
// itself, -1 for none.
type preference struct {
	specific int
	q        float64
}

func (p *preference) offer(media, of string, q float64) {
	specific := -1
	switch family, _, _ := strings.Cut(of, "/"); media {
	case of:
		specific = 2
	case family + "/*":
		specific = 1
	case "*/*":
		specific = 0
	}
	if specific > p.specific {
		*p = preference{specific, q}
	}
}

// quality finds q among the parameters; 1 where there is none, 0 where it is no number from 0 to 1.
func quality(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
