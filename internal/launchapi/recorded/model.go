package recorded

import (
	"encoding/json"
	"slices"
	"strconv"
	"sync"

	"launchlake/internal/rawjson"
)

// model is what generated launches have in common with a recorded one, as JSON. The mission is the end of its object, after
// the name.
type model struct {
	label, slug                    string
	provider, rocket, mission, pad []byte
}

// generatedStatuses has each as often as is so in Launch Library 2, which told of 363 launches to come among some 7,950 in the
// summer of 2026.
var generatedStatuses, generatedPrecision = func() ([][]byte, []byte) {
	var out [][]byte
	for _, share := range []struct {
		name  string
		times int
	}{{"Success", 38}, {"Failure", 3}, {"Partial Failure", 1}, {"Go", 1}, {"TBD", 1}} {
		raw, _ := json.Marshal(statuses[share.name]) // strings and a number
		out = append(out, slices.Repeat([][]byte{raw}, share.times)...)
	}
	precision, _ := json.Marshal(precisions["MIN"])
	return out, precision
}()

// manyCountries make a record too long to be one like the others: ESA has two dozen.
const manyCountries = 4

// models has one for each combination of rocket, provider and pad of state 1.
var models = sync.OnceValues(func() ([]model, error) {
	c, err := load()
	if err != nil {
		return nil, err
	}
	t := count(c.first)
	type combination struct {
		vehicle  *vehicle
		provider *provider
		pad      *pad
	}
	seen := map[combination]bool{}
	var out []model
	for i := range c.first {
		l := &c.first[i]
		key := combination{l.vehicle, l.provider, l.pad}
		if seen[key] || len(l.provider.countries) > manyCountries {
			continue
		}
		seen[key] = true
		m, err := newModel(t.detailed(l), l)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
})

var landingCounts = []string{
	"attempted_landings", "successful_landings", "failed_landings", "consecutive_successful_landings",
	"attempted_landings_spacecraft", "successful_landings_spacecraft", "failed_landings_spacecraft",
	"attempted_landings_payload", "successful_landings_payload", "failed_landings_payload",
}

func newModel(d launchDetailed, l *launch) (model, error) {
	label, err := encode(l.vehicle.label)
	if err != nil {
		return model{}, err
	}
	m := model{label: string(label[1 : len(label)-1]), slug: slug(l.vehicle.label)}
	families := []byte("[]")
	if len(l.vehicle.families) > 0 {
		families = []byte(`[{"response_mode":"list","id":` + strconv.Itoa(idOf("family", l.vehicle.families[0])) +
			`,"name":` + strconv.Quote(l.vehicle.families[0]) + `}]`)
	}
	d.Rocket.Configuration.Manufacturer = nil
	for _, part := range []struct {
		from any
		to   *[]byte
	}{{d.Provider, &m.provider}, {d.Rocket.Configuration, &m.rocket}, {d.Mission.Orbit, &m.mission}, {d.Pad, &m.pad}} {
		raw, err := encode(part.from)
		if err != nil {
			return model{}, err
		}
		*part.to = raw
	}
	m.provider = without(m.provider, landingCounts)
	m.rocket = replace(without(m.rocket, landingCounts), families, at("families"))
	m.pad = replace(m.pad, []byte(`{"response_mode":"list","id":1,"name":"Earth"}`), at("location", "celestial_body"))
	m.mission = slices.Concat(
		[]byte(`","type":`), []byte(strconv.Quote(l.kind)),
		[]byte(`,"description":"Invented for tests of size.","image":null,"orbit":`), m.mission,
		[]byte(`,"agencies":[],"info_urls":[],"vid_urls":[]}`),
	)
	return m, nil
}

// without writes an object without some of its members.
func without(object []byte, names []string) []byte {
	out := []byte{'{'}
	for name, value := range rawjson.Members(object) {
		if slices.Contains(names, string(name)) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(strconv.AppendQuote(out, string(name)), ':')
		out = append(out, value...)
	}
	return append(out, '}')
}
