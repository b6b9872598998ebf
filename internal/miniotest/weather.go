package miniotest

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// mostInARow is how often a request is spoilt before it passes. Clients try more often than that.
const mostInARow = 2

// Weather is a plan that spoils requests at random: the store is busy or breaks, tells of another writer, or finds the client's
// clock wrong; the connection breaks before the request, in the middle of either body, or when the request has taken
// effect; and all of it can be slow. No request is spoilt more than twice in a row, so that whoever asks again gets through.
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
	inARow := map[string]int{}
	return func(r *http.Request) Fault {
		line := requestLine(r)
		if random.IntN(weather.OneIn) > 0 || inARow[line] == mostInARow {
			delete(inARow, line)
			return Pass
		}
		inARow[line]++
		faults := weather.faults(r)
		return faults[random.IntN(len(faults))]
	}
}

// faults are those that a store has for a request.
func (weather Weather) faults(r *http.Request) []Fault {
	faults := []Fault{
		Answer(http.StatusInternalServerError, "InternalError"), Answer(http.StatusServiceUnavailable, "SlowDown"),
		DropRequest, DropReply, HalveBody, Slow(50 * time.Millisecond),
		AnswerSkewed(time.Hour),
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
