package delta

import "testing"

func TestJSONChecksumsAreThoseOfTheSpec(t *testing.T) {
	for text, want := range map[string]string{
		// The example of the protocol.
		`{"k0":"'v 0'", "checksum": "adsaskfljadfkjadfkj", "k1":{"k2": 2, "k3": ["v3", [1, 2], {"k4": "v4", "k5": ["v5", "v6", "v7"]}]}}`: "6a92d155a59bf2eecbd4b4ec7fd1f875",
	} {
		if got, err := jsonChecksum([]byte(text)); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
}
