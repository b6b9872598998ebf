package connect

import (
	"fmt"
	"net"
	"net/url"
	"os/user"
	"strings"

	"github.com/google/uuid"
)

// Remote is where a Spark Connect server is and how to talk to it, as the connection string of Spark's clients says it:
// sc://host:port/;key=value;key=value.
type Remote struct {
	address string            // host:port
	secure  bool              // TLS
	user    string            // Spark's name for who runs the session
	session string            // UUID of the session to join; "": a new one
	headers map[string]string // sent with each request, the token among them
}

const (
	defaultPort   = "15002"
	defaultUserID = "launchlake"
)

// ParseRemote reads a connection string. Errors never show its parameters, which can hold a token.
func ParseRemote(text string) (Remote, error) {
	rest, ok := strings.CutPrefix(text, "sc://")
	if !ok {
		return Remote{}, fmt.Errorf("a Spark Connect server is named sc://host:port")
	}
	host, parameters, _ := strings.Cut(rest, "/")
	r := Remote{user: defaultUser(), headers: map[string]string{}}
	at, err := url.Parse("sc://" + host)
	if err != nil || at.Hostname() == "" || at.User != nil || at.RawQuery != "" || at.Fragment != "" {
		return Remote{}, fmt.Errorf("a Spark Connect server is named sc://host:port/;key=value")
	}
	port := at.Port()
	if port == "" {
		port = defaultPort
	}
	r.address = net.JoinHostPort(at.Hostname(), port)
	for pair := range strings.SplitSeq(parameters, ";") {
		if pair == "" {
			continue
		}
		if err := r.set(pair); err != nil {
			return Remote{}, err
		}
	}
	return r, nil
}

// set takes one parameter, key=value. The value may be escaped as in URLs.
func (r *Remote) set(pair string) error {
	key, raw, ok := strings.Cut(pair, "=")
	value, err := url.PathUnescape(raw)
	if !ok || err != nil || key == "" || strings.ContainsAny(value, "\r\n") {
		return fmt.Errorf("parameters of a Spark Connect server are written ;key=value (in that of key %q)", key)
	}
	switch key {
	case "token":
		r.headers["authorization"] = "Bearer " + value
		r.secure = true // a token is never sent in clear
	case "use_ssl":
		r.secure = r.secure || strings.EqualFold(value, "true")
	case "user_id":
		r.user = value
	case "session_id":
		if _, err := uuid.Parse(value); err != nil {
			return fmt.Errorf("session_id of a Spark Connect server must be a UUID")
		}
		r.session = value
	case "user_agent", "grpc_max_message_size":
		// Of Spark's other clients.
	default:
		r.headers[strings.ToLower(key)] = value
	}
	return nil
}

// String gives the host and port, which are no secret.
func (r Remote) String() string { return r.address }

func (r Remote) url(method string) string {
	scheme := "http"
	if r.secure {
		scheme = "https"
	}
	return scheme + "://" + r.address + "/spark.connect.SparkConnectService/" + method
}

func defaultUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return defaultUserID
}
