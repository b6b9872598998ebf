package launchapitest

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// SetUsed forgets all requests for launches so far and makes every caller appear to have sent n just now.
func (s *Server) SetUsed(n int) {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	spent := make([]time.Time, n)
	for i := range spent {
		spent[i] = now
	}
	s.uses = map[string][]time.Time{everyone: spent}
}

// AnswerThrottle replaces api-throttle/ by h; nil restores it.
func (s *Server) AnswerThrottle(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttle = h
}

// everyone is the caller whose uses count for all.
const everyone = ""

// caller is what LL2 counts requests by: the token, else the address.
func caller(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Token "); ok {
		return token
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// use takes one request from the caller's window, or says how long to wait. A refused request is not counted.
func (s *Server) use(r *http.Request) (wait time.Duration, ok bool) {
	who := caller(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	used, next := s.used(who)
	if s.opts.Throttle.Limit > 0 && used >= s.opts.Throttle.Limit {
		return next, false
	}
	s.uses[who] = append(s.uses[who], s.opts.Now())
	return 0, true
}

// used counts the caller's requests in the window that ends now; next is the time until the oldest leaves it, 0
// while requests are left. The caller of used holds the lock.
func (s *Server) used(who string) (n int, next time.Duration) {
	now := s.opts.Now()
	oldest := now
	for _, caller := range []string{everyone, who} {
		kept := s.uses[caller][:0]
		for _, at := range s.uses[caller] {
			if now.Sub(at) < s.opts.Throttle.Window {
				kept = append(kept, at)
			}
		}
		s.uses[caller] = kept
		n += len(kept)
		if len(kept) > 0 && kept[0].Before(oldest) {
			oldest = kept[0]
		}
	}
	if n < s.opts.Throttle.Limit {
		return n, 0
	}
	return n, s.opts.Throttle.Window - now.Sub(oldest)
}

// unlimited is what a server without a throttle tells: enough never to be the reason to stop.
const unlimited = 1_000_000

func (s *Server) serveThrottle(w http.ResponseWriter, r *http.Request) {
	who := caller(r)
	s.mu.Lock()
	replaced := s.throttle
	used, next := s.used(who)
	s.mu.Unlock()
	if replaced != nil {
		replaced.ServeHTTP(w, r)
		return
	}
	limit, window := s.opts.Throttle.Limit, s.opts.Throttle.Window
	if limit == 0 {
		limit, window, next = unlimited, time.Hour, 0
	}
	body := fmt.Sprintf(`{"your_request_limit":%d,"limit_frequency_secs":%d,"current_use":%d,"next_use_secs":%d,"ident":%q}`,
		limit, int(window.Seconds()), used, int(next.Seconds()), who)
	answer(w, http.StatusOK, "application/json", body)
}

// throttled is Django REST framework's 429: whole seconds, the header rounded down, the text up.
func throttled(w http.ResponseWriter, wait time.Duration) {
	n := int(math.Ceil(wait.Seconds()))
	unit := "seconds"
	if n == 1 {
		unit = "second"
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	detail(w, http.StatusTooManyRequests, fmt.Sprintf("Request was throttled. Expected available in %d %s.", n, unit))
}
