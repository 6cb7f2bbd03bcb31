package sfu

// Kind says what a source shows or sounds. The strings are part of the wire protocol.
type Kind string

// The four kinds of source a peer can publish, at most one of each.
const (
	Microphone  Kind = "microphone"
	Camera      Kind = "camera"
	Screen      Kind = "screen"
	ScreenAudio Kind = "screen_audio"
)

// Valid reports whether k is one of the four kinds.
func (k Kind) Valid() bool {
	return k == Microphone || k == Camera || k == Screen || k == ScreenAudio
}

// Video reports whether sources of kind k carry pictures.
func (k Kind) Video() bool { return k == Camera || k == Screen }
