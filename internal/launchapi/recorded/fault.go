package recorded

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"launchlake/internal/rawjson"
)

// Fault is a broken record of state 2: a real launch corrupted by us. Its id is its own, so it stands in no real
// launch's way, and its hashtag says FaultInjection.
type Fault struct {
	Name string // what is wrong, in words
	Rule string // the rule of the Silver contract or the defect in Bronze that finds it; empty: a value of the wrong type
	ID   string // as served; empty when none is
}

// corruption is a way to break a record. It is plain replacing of bytes, for what it makes need not be JSON.
type corruption struct {
	name, rule string
	edits      []edit
}

// edit replaces the value of the member at path; without a path, all of the record.
type edit struct {
	path  []string
	value string
}

// corruptions are what a database with types would not give: bad imports, proxies in the way, wrong encodings. There is
// one for each rule of the Silver contract that quarantines, and for each defect that Bronze knows of valid pages. Those
// after the orderly ones have no readable last_updated, so they are in no pass that asks for one.
var corruptions = []corruption{
	{"the id is no UUID", "id_is_uuid", []edit{{at("id"), `"sputnik-8k74ps-1"`}}},
	{"the id is missing", "id_present", []edit{{at("id"), "null"}}},
	{"the net is missing", "net_present", []edit{{at("net"), "null"}}},
	{"the status is none of LL2's", "status_known", []edit{{at("status", "id"), "42"}}},
	{"the latitude is beyond the pole", "latitude_in_range", []edit{{at("pad", "latitude"), "128.608"}}},
	{"the longitude is no longitude", "longitude_in_range", []edit{{at("pad", "longitude"), "-806.04"}}},
	{"the window opens after the net", "net_in_window", []edit{
		{at("window_start"), `"2031-01-01T00:00:00Z"`}, {at("window_end"), `"2031-01-01T04:00:00Z"`},
	}},
	{"the provider is missing", "provider_id_present", []edit{{at("launch_service_provider"), "null"}}},
	{"the pad is missing", "pad_id_present", []edit{{at("pad"), "null"}}},
	{"the probability is a word", "", []edit{{at("probability"), `"high"`}}},
	{"the mission's name has bytes that are no UTF-8", "not_utf8", []edit{{at("mission", "name"), "\"Tiangong \xe5\xa4 \xff\""}}},
	{"the last_updated is no time", "last_updated_present", []edit{{at("last_updated"), `"recently"`}}},
	{"not a launch but a string", "not_an_object", []edit{{nil, `"upstream connect error or disconnect/reset before headers"`}}},
}

// orderly is the number of corruptions that leave last_updated readable.
const orderly = 11

func at(path ...string) []string { return path }

func (c *corruption) spoil(raw []byte) []byte {
	for _, e := range c.edits {
		if len(e.path) == 0 {
			return []byte(e.value)
		}
		raw = replace(raw, []byte(e.value), e.path)
	}
	return raw
}

// faultStart is later than any real last_updated of the state.
var faultStart = time.Date(2026, 8, 13, 10, 0, 0, 0, time.UTC)

// faultStride spreads the victims over providers and decades.
const faultStride = 41

// faults corrupts launches that stay as they are in both states, one for each way.
func (s *state) faults() ([]Fault, []json.RawMessage, error) {
	var found []Fault
	var raw []json.RawMessage
	tag := "FaultInjection"
	for i := range corruptions {
		c := &corruptions[i]
		victim := s.launches[i*faultStride]
		d := s.tally.detailed(&victim)
		d.ID, d.Hashtag = madeID("fault/"+c.name), &tag
		d.URL = api + "launches/" + d.ID + "/"
		d.LastUpdated = stamp(faultStart.Add(time.Duration(i) * time.Minute))
		good, err := encode(d)
		if err != nil {
			return nil, nil, err
		}
		broken := c.spoil(good)
		raw = append(raw, broken)
		found = append(found, Fault{Name: c.name, Rule: c.rule, ID: servedID(broken)})
	}
	return found, raw, nil
}

func servedID(raw []byte) string {
	for name, value := range rawjson.Members(raw) {
		if string(name) == "id" {
			id, _ := rawjson.Text(value)
			return id
		}
	}
	return ""
}

// replace writes an object with the value of one member, at the end of a path, replaced.
func replace(object, value []byte, path []string) []byte {
	var b bytes.Buffer
	separator := byte('{')
	for name, old := range rawjson.Members(object) {
		b.WriteByte(separator)
		separator = ','
		b.WriteString(strconv.Quote(string(name)))
		b.WriteByte(':')
		switch {
		case string(name) != path[0]:
			b.Write(old)
		case len(path) == 1:
			b.Write(value)
		default:
			b.Write(replace(old, value, path[1:]))
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}
