package miniotest

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// mostOfACall is how often a call is spoilt before it passes. Clients try more often than that.
const mostOfACall = 2

// Weather is a plan that spoils requests at random: the store is busy or breaks, tells of another writer, or finds the client's
// clock wrong; the connection breaks before the request, in the middle of either body, or when the request has taken
// effect; and all of it can be slow. No call is spoilt more than twice, so that whoever asks again gets through.
type Weather struct {
	Seed  uint64
	OneIn int // about one request of so many is spoilt
	// AskTwice is a part of the keys whose conditional puts a gateway on the way may send twice: the writer whose put took
	// effect is told that the object was there. "": of none.
	AskTwice string
}

// Plan begins the weather.
func (weather Weather) Plan() Plan {
	random := rand.New(rand.NewPCG(weather.Seed, 0))
	spoilt := map[string]int{}
	return func(r *http.Request) Fault {
		call := callOf(r)
		if random.IntN(weather.OneIn) > 0 || spoilt[call] == mostOfACall {
			return Pass
		}
		spoilt[call]++
		faults := weather.faults(r)
		return faults[random.IntN(len(faults))]
	}
}

// callOf gives what the attempts of one call have in common: the number that AWS's clients give it, for others may ask the
// same at the same time.
func callOf(r *http.Request) string {
	if id := r.Header.Get("Amz-Sdk-Invocation-Id"); id != "" {
		return id
	}
	return requestLine(r)
}

// faults are those that a store has for a request.
func (weather Weather) faults(r *http.Request) []Fault {
	faults := []Fault{
		Answer(http.StatusInternalServerError, "InternalError"), Answer(http.StatusServiceUnavailable, "SlowDown"),
		DropRequest, DropReply, HalveBody, Slow(50 * time.Millisecond),
		AnswerSkewed(0), // a wrong hour would spoil the calls beside this one: a client has one clock for all
	}
	if r.Method == http.MethodPut {
		faults = append(faults, CutRequest)
	}
	if r.Header.Get("If-None-Match") != "" {
		faults = append(faults, Answer(http.StatusConflict, "ConditionalRequestConflict"), DropReply)
		if weather.AskTwice != "" && strings.Contains(r.URL.Path, weather.AskTwice) {
			faults = append(faults, AskTwice, AskTwice)
		}
	}
	return faults
}
