package names

// MaxRoom is the longest room name, in bytes.
const MaxRoom = 64

// RoomGrammar says in words what Room takes.
const RoomGrammar = "1 to 64 characters of A-Z a-z 0-9 . _ ~ -, but neither . nor .. alone"

// Room reports whether name may name a room: RoomGrammar, which needs no escaping in a URL. "." and ".." are none
// because a URL's path cannot carry them, escaped or not.
func Room(name string) bool {
	if name == "" || len(name) > MaxRoom || name == "." || name == ".." {
		return false
	}
	for i := range len(name) {
		c := name[i]
		ok := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			c == '.' || c == '_' || c == '~' || c == '-'
		if !ok {
			return false
		}
	}
	return true
}
