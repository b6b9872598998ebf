package connect

import (
	"strings"
	"testing"
)

func TestConnectionStringsAreReadAsSparksClientsReadThem(t *testing.T) {
	for text, want := range map[string]Remote{
		"sc://host":                             {address: "host:15002"},
		"sc://host:443/;use_ssl=true;user_id=u": {address: "host:443", secure: true, user: "u"},
		"sc://[::1]:7/;X-Cluster=a%3Bb":         {address: "[::1]:7", headers: map[string]string{"x-cluster": "a;b"}},
		"sc://host/;token=s3cret":               {address: "host:15002", secure: true, headers: map[string]string{"authorization": "Bearer s3cret"}},
	} {
		got, err := ParseRemote(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got.address != want.address || got.secure != want.secure || want.user != "" && got.user != want.user {
			t.Errorf("%s: %+v", text, got)
		}
		for key, value := range want.headers {
			if got.headers[key] != value {
				t.Errorf("%s: header %s is %q", text, key, got.headers[key])
			}
		}
		if strings.Contains(got.String(), "s3cret") {
			t.Errorf("%s shows its token", got)
		}
	}
}

func TestWrongConnectionStringsAreRefusedWithoutShowingTheirToken(t *testing.T) {
	for _, text := range []string{"", "host:15002", "http://host", "sc://", "sc://user:s3cret@host", "sc://host/;token", "sc://host/;session_id=s3cret", "sc://host/;token=s3cret%0d%0aX: y", "sc://host:port"} {
		if _, err := ParseRemote(text); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
