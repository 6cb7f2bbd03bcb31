package sfu

import "fmt"

// parseData reads a client's frame: u8 n, n times (u8 length, participant id), u8 length, topic, payload. The result's
// payload is part of b.
func parseData(b []byte) (Data, error) {
	var d Data
	if len(b) == 0 {
		return Data{}, fmt.Errorf("%w: empty", ErrBadData)
	}
	n := int(b[0])
	b = b[1:]
	if n > 0 {
		d.To = make([]string, 0, min(n, len(b)))
	}
	for range n {
		id, rest, ok := cutString(b)
		if !ok || id == "" {
			return Data{}, fmt.Errorf("%w: the list of addressees is cut short", ErrBadData)
		}
		d.To = append(d.To, id)
		b = rest
	}
	topic, payload, ok := cutString(b)
	if !ok {
		return Data{}, fmt.Errorf("%w: the topic is cut short", ErrBadData)
	}
	d.Topic, d.Payload = topic, payload
	return d, nil
}

// cutString reads u8 length and that many bytes.
func cutString(b []byte) (s string, rest []byte, ok bool) {
	if len(b) < 1 || len(b) < 1+int(b[0]) {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], true
}

// appendData writes a frame for a client: u8 length, sender's id, u8 length, topic, payload.
func appendData(b []byte, d Data, limit int) ([]byte, error) {
	if len(d.From) > 255 || len(d.Topic) > 255 {
		return nil, fmt.Errorf("%w: sender or topic is longer than 255 bytes", ErrBadData)
	}
	n := 2 + len(d.From) + len(d.Topic) + len(d.Payload)
	if len(d.Payload) > limit {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrBadData, limit)
	}
	if cap(b)-len(b) < n {
		b = append(make([]byte, 0, len(b)+n), b...)
	}
	b = append(b, byte(len(d.From)))
	b = append(b, d.From...)
	b = append(b, byte(len(d.Topic)))
	b = append(b, d.Topic...)
	return append(b, d.Payload...), nil
}
