package recorded

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"
)

// In every hundred generated records one is the record before it again, byte by byte, and one is a newer version of an
// earlier launch; one in five hundred is broken.
const (
	repeatEvery, repeatAt   = 100, 37
	reviseEvery, reviseAt   = 100, 87
	corruptEvery, corruptAt = 500, 250
)

// reach is how far back a newer version lies from the launch that it revises.
const reach = 5000

// newInFive of the changes that [GenerateChanges] makes are new launches: one.
const newInFive = 5

// Generate makes n invented launches, about 4.2 KB each, in the order of last_updated. Equal arguments give equal
// bytes. Two in a hundred repeat a launch (the same bytes, or a newer version with its id), one in five hundred breaks
// a rule of the Silver contract, each rule in turn. Yielded slices are the caller's to keep.
//
// They carry fewer nested details than a [State]: no manufacturer, no landing counts, and short forms of the family and
// the celestial body. Collect them to serve them: launchapitest takes what slices.Collect returns.
func Generate(n int, seed uint64) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		g := newGenerator(seed)
		var last json.RawMessage
		for i := range n {
			raw := last
			if i%repeatEvery != repeatAt {
				raw = g.record(i)
			}
			last = raw
			if !yield(raw) {
				return
			}
		}
	}
}

// GenerateChanges makes k changes that follow upon Generate(n, seed): four in five are newer versions of its launches,
// the others are new launches. Every last_updated is later than all of Generate's, and ascends.
func GenerateChanges(n, k int, seed uint64) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		g := newGenerator(seed)
		for i := n; i < n+k; i++ {
			key, version := i, 0
			if n > 0 && (i-n)%newInFive != newInFive-1 {
				key, version = ordinary(int(mix(seed, i, 1)%uint64(n))), i
			}
			if !yield(g.launch(key, version, i)) {
				return
			}
		}
	}
}

// GeneratedCounts says of Generate(n, any seed) how many different good launches there are, and how many broken records.
func GeneratedCounts(n int) (launches, broken int) {
	for i := range n {
		switch {
		case i%corruptEvery == corruptAt:
			broken++
		case ordinary(i) == i:
			launches++
		}
	}
	return launches, broken
}

// ordinary is i, or the place before it when i is no launch of its own.
func ordinary(i int) int {
	if i%repeatEvery == repeatAt || i%reviseEvery == reviseAt || i%corruptEvery == corruptAt {
		return i - 1
	}
	return i
}

type generator struct {
	seed   uint64
	models []model
	free   []byte // the rest of a block that records are cut from
}

func newGenerator(seed uint64) *generator {
	made, err := models()
	if err != nil {
		panic(fmt.Sprintf("recorded: the embedded data cannot be read: %v", err)) // State and a test say so first
	}
	return &generator{seed: seed, models: made}
}

func (g *generator) record(i int) json.RawMessage {
	switch {
	case i%reviseEvery == reviseAt:
		back := 1 + int(mix(g.seed, i, 1)%uint64(min(i, reach)))
		return g.launch(ordinary(i-back), i, i)
	case i%corruptEvery == corruptAt:
		c := &corruptions[i/corruptEvery%orderly]
		return slices.Clip(c.spoil(g.launch(i, 0, i)))
	default:
		return g.launch(i, 0, i)
	}
}

const blockSize = 1 << 20

// roomy is more than any generated record takes.
const roomy = 8 << 10

// launch writes the version of a launch that was last updated at the given place of the order.
func (g *generator) launch(key, version, place int) json.RawMessage {
	if len(g.free) < roomy {
		g.free = make([]byte, blockSize)
	}
	out := g.write(g.free[:0:roomy], key, version, place)
	g.free = g.free[len(out):]
	return out[:len(out):len(out)]
}

// Launches are spread over thirty years by their key; changes follow each other in a minute and a half.
var (
	firstNet    = time.Date(1996, 1, 1, 0, 0, 0, 0, time.UTC)
	firstUpdate = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
)

const (
	netSpan    = 30 * 365 * 24 * 60 // minutes
	updatePace = 97 * time.Second
)

func (g *generator) write(b []byte, key, version, place int) []byte {
	random := mix(g.seed, key, 0)
	m := &g.models[random%uint64(len(g.models))]
	net := firstNet.Add(time.Duration(random>>8%netSpan)*time.Minute + time.Duration(version%90)*time.Hour)
	status := generatedStatuses[(random>>40+uint64(version))%uint64(len(generatedStatuses))]
	b = append(b, `{"id":"`...)
	b = appendUUID(b, random, mix(g.seed, key, 2))
	b = append(b, `","url":"https://ll.thespacedevs.com/2.3.0/launches/`...)
	b = appendUUID(b, random, mix(g.seed, key, 2))
	b = append(append(append(b, `/","name":"`...), m.label...), ` | Payload `...)
	b = strconv.AppendInt(b, int64(key), 10)
	b = append(append(append(b, `","response_mode":"detailed","slug":"`...), m.slug...), `-payload-`...)
	b = strconv.AppendInt(b, int64(key), 10)
	b = append(append(b, `","launch_designator":null,"status":`...), status...)
	b = appendTime(append(b, `,"last_updated":"`...), firstUpdate.Add(time.Duration(place)*updatePace))
	b = appendTime(append(b, `","net":"`...), net)
	b = append(append(b, `","net_precision":`...), generatedPrecision...)
	b = appendTime(append(b, `,"window_end":"`...), net.Add(2*time.Hour))
	b = appendTime(append(b, `","window_start":"`...), net)
	b = append(b, `","image":null,"infographic":null,"probability":`...)
	b = strconv.AppendUint(b, random>>16%101, 10)
	b = append(b, `,"weather_concerns":null,"failreason":"","hashtag":null,"launch_service_provider":`...)
	b = append(b, m.provider...)
	b = strconv.AppendInt(append(b, `,"rocket":{"id":`...), int64(key), 10)
	b = append(append(b, `,"configuration":`...), m.rocket...)
	b = append(b, `,"launcher_stage":[],"spacecraft_stage":[],"payloads":[]},"mission":{"id":`...)
	b = strconv.AppendInt(b, int64(key), 10)
	b = strconv.AppendInt(append(b, `,"name":"Payload `...), int64(key), 10)
	b = append(append(b, m.mission...), `,"pad":`...)
	b = append(append(b, m.pad...), `,"webcast_live":false,"program":[]`...)
	return g.writeCounts(b, key, net)
}

func (g *generator) writeCounts(b []byte, key int, net time.Time) []byte {
	year := net.YearDay()
	for _, c := range []struct {
		name string
		n    int
	}{
		{"orbital_launch_attempt_count", key + 1}, {"location_launch_attempt_count", key/7 + 1},
		{"pad_launch_attempt_count", key/31 + 1}, {"agency_launch_attempt_count", key/11 + 1},
		{"orbital_launch_attempt_count_year", year}, {"location_launch_attempt_count_year", year/7 + 1},
		{"pad_launch_attempt_count_year", year/31 + 1}, {"agency_launch_attempt_count_year", year/11 + 1},
	} {
		b = append(append(append(b, `,"`...), c.name...), `":`...)
		b = strconv.AppendInt(b, int64(c.n), 10)
	}
	return append(b, `,"flightclub_url":null,"updates":[],"info_urls":[],"vid_urls":[],"timeline":[],"pad_turnaround":"P3DT4H","mission_patches":[]}`...)
}

func appendTime(b []byte, t time.Time) []byte { return t.AppendFormat(b, "2006-01-02T15:04:05Z") }

// appendUUID writes 122 bits as a UUID of version 4.
func appendUUID(b []byte, high, low uint64) []byte {
	const digits = "0123456789abcdef"
	high = high&^0xf000 | 0x4000
	low = low&(math.MaxUint64>>2) | 1<<63
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			b = append(b, '-')
		}
		word := high
		if i >= 16 {
			word = low
		}
		b = append(b, digits[word>>(60-4*(i%16))&0xf])
	}
	return b
}

// mix is splitmix64 of three numbers.
func mix(seed uint64, i, purpose int) uint64 {
	x := seed + uint64(i)*0x9e3779b97f4a7c15 + uint64(purpose)*0xd1b54a32d192ed03
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
