package connect

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// prefixSize is that of a message's prefix: a byte that is 1 when the message is compressed, and its length.
const prefixSize = 5

// maxMessage bounds what a broken server can make the program hold. A server's Arrow batches have 4 MB, its plans less.
const maxMessage = 256 << 20

const dialTimeout = 10 * time.Second

func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Protocols:           protocols,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: dialTimeout,
		Proxy:               http.ProxyFromEnvironment,
	}
}

// stream is the answer to a call: messages, and at the end how it went.
type stream struct {
	ctx      context.Context // of the call
	watch    *watch
	response *http.Response
	method   string
}

// call sends one request. The stream is closed by who reads it.
func (c *Client) call(ctx context.Context, method string, request []byte) (*stream, error) {
	ctx, w := c.watched(ctx)
	response, err := c.send(ctx, method, request)
	if err != nil {
		w.stop()
		return nil, err
	}
	return &stream{ctx, w, response, method}, nil
}

func (c *Client) send(ctx context.Context, method string, request []byte) (*http.Response, error) {
	body := make([]byte, prefixSize, prefixSize+len(request))
	binary.BigEndian.PutUint32(body[1:], uint32(len(request)))
	body = append(body, request...)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.remote.url(method), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for key, value := range c.remote.headers {
		r.Header.Set(key, value)
	}
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("TE", "trailers")
	r.Header.Set("User-Agent", clientType)
	response, err := c.http.Do(r)
	if err != nil {
		return nil, c.lost(ctx, err)
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, c.httpError(response.StatusCode)
	}
	return response, nil
}

// unary sends a request whose answer is one message.
func (c *Client) unary(ctx context.Context, method string, request []byte) ([]byte, error) {
	s, err := c.call(ctx, method, request)
	if err != nil {
		return nil, err
	}
	defer s.close()
	answer, err := c.next(s)
	if err != nil {
		return nil, err
	}
	if _, err := c.next(s); !errors.Is(err, io.EOF) {
		return nil, err
	}
	return answer, nil
}

// next reads a message; the error is io.EOF after the last one when the call went well.
func (c *Client) next(s *stream) ([]byte, error) {
	s.watch.wait()
	defer s.watch.heard()
	var prefix [prefixSize]byte
	_, err := io.ReadFull(s.response.Body, prefix[:])
	if errors.Is(err, io.EOF) {
		return nil, s.status()
	}
	if err != nil {
		return nil, c.lost(s.ctx, err)
	}
	size := binary.BigEndian.Uint32(prefix[1:])
	if prefix[0] != 0 || size > maxMessage {
		return nil, fmt.Errorf("%s sends a message of %d bytes, compressed: %d, which was not asked for", c.remote, size, prefix[0])
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(s.response.Body, message); err != nil {
		return nil, c.lost(s.ctx, err)
	}
	return message, nil
}

func (s *stream) close() {
	_ = s.response.Body.Close()
	s.watch.stop()
}

// status is the outcome of the call as the trailers tell it; io.EOF when it is good. An answer without messages has them
// among its headers.
func (s *stream) status() error {
	trailer := s.response.Trailer
	if trailer.Get("Grpc-Status") == "" {
		trailer = s.response.Header
	}
	code, err := strconv.Atoi(trailer.Get("Grpc-Status"))
	if err != nil {
		return fmt.Errorf("%w: %s: the answer of the server ends without a status: is it Spark Connect?", ErrUnavailable, s.method)
	}
	if code == 0 {
		return io.EOF
	}
	message, err := url.PathUnescape(trailer.Get("Grpc-Message"))
	if err != nil {
		message = trailer.Get("Grpc-Message")
	}
	details, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(trailer.Get("Grpc-Status-Details-Bin"), "="))
	return newError(code, message, details)
}

// lost is the error of a line that broke, unless the caller broke it.
func (c *Client) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return fmt.Errorf("%w at %s: %w", ErrUnavailable, c.remote, err)
}

func (c *Client) httpError(status int) error {
	text := fmt.Sprintf("%s answers HTTP status %d %s, which is not Spark Connect", c.remote, status, http.StatusText(status))
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %s", ErrDenied, text)
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, text)
}
