package recorded

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

const api = "https://ll.thespacedevs.com/2.3.0/"

// detailed is a launch as the API writes it.
func (t *tally) detailed(l *launch) launchDetailed {
	a := t.attempts[l.id]
	name := l.name()
	d := launchDetailed{
		ID: l.id, URL: api + "launches/" + l.id + "/", Name: name, ResponseMode: "detailed", Slug: slug(name),
		LaunchDesignator: optional(l.designator), Status: statuses[l.status], LastUpdated: stamp(l.updated),
		Net: stamp(l.net), NetPrecision: l.shownPrecision(), WindowEnd: stamp(l.closes), WindowStart: stamp(l.opens),
		Failreason: l.reason, Provider: t.agency(l.provider),
		Rocket:  rocketDetailed{ID: numberOf("rocket", l.number), Configuration: t.configuration(l.vehicle)},
		Mission: l.missionDetailed(), Pad: t.padDetailed(l.pad), Program: programs(l.programs),
		LocationCount: a.location, PadCount: a.pad, AgencyCount: a.agency,
		LocationCountYear: a.locationYear, PadCountYear: a.padYear, AgencyCountYear: a.agencyYear,
		PadTurnaround: isoDuration(a.sincePad),
	}
	if a.orbital > 0 {
		d.OrbitalCount, d.OrbitalCountYear = &a.orbital, &a.orbitalYear
	}
	return d
}

// name is that of the mission alone when the table has the whole name there.
func (l *launch) name() string {
	if strings.Contains(l.mission, " | ") {
		return l.mission
	}
	return l.vehicle.label + " | " + l.mission
}

// LL2 has no precision for old launches, whatever is known of their time.
var precisionSince = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

func (l *launch) shownPrecision() *lookup {
	if l.net.Before(precisionSince) && (l.precision == "SEC" || l.precision == "MIN") {
		return nil
	}
	p := precisions[l.precision]
	return &p
}

func (l *launch) missionDetailed() mission {
	_, title, whole := strings.Cut(l.mission, " | ")
	if !whole {
		title = l.mission
	}
	about := fmt.Sprintf("%s: %s, launched by %s from %s.", title, strings.ToLower(l.kind), l.provider.name, l.pad.location.name)
	if !l.flown() {
		about = strings.Replace(about, "launched", "to be launched", 1)
	}
	return mission{
		ID: numberOf("mission", l.number), Name: title, Type: l.kind, Description: about, Orbit: orbits[l.orbit],
	}
}

func (t *tally) agency(p *provider) agencyDetailed {
	a := agencyDetailed{
		agencyNormal: agencyNormal{
			ResponseMode: "normal", ID: p.id, URL: fmt.Sprintf("%sagencies/%d/", api, p.id), Name: p.name, Abbrev: p.abbrev,
			Type: named{p.kind, agencyTypes[p.kind]}, Country: []nation{}, FoundingYear: p.founded,
		},
		totals: t.agencies[p],
	}
	for _, c := range p.countries {
		a.Country = append(a.Country, *c.detailed())
	}
	if p.wiki != "" {
		a.WikiURL = optional("https://en.wikipedia.org/wiki/" + p.wiki)
	}
	return a
}

func (c *country) detailed() *nation {
	if c == nil {
		return nil
	}
	return &nation{c.id, c.name, c.alpha2, c.alpha3, c.nationality, c.nationalityComposed}
}

func (t *tally) configuration(v *vehicle) configDetailed {
	maker := t.agency(v.manufacturer)
	c := configDetailed{
		ResponseMode: "detailed", ID: v.id, URL: fmt.Sprintf("%slauncher_configurations/%d/", api, v.id), Name: v.name,
		Families: t.familiesOf(v), FullName: v.fullName, Variant: v.variant, Active: v.active, Manufacturer: &maker,
		Reusable: v.reusable, Length: v.length, Diameter: v.diameter, MaidenFlight: optional(v.maiden),
		LaunchMass: v.mass, LEOCapacity: v.leoCapacity, GTOCapacity: v.gtoCapacity, TOThrust: v.thrust, totals: t.configs[v],
	}
	if v.cost != nil {
		cost := int(*v.cost)
		c.LaunchCost = &cost
	}
	if pace := t.pace[v]; pace > 0 {
		c.FastestTurnaround = optional(isoDuration(pace))
	}
	return c
}

func (t *tally) familiesOf(v *vehicle) []family {
	if len(v.families) == 0 {
		return []family{}
	}
	f := family{
		ResponseMode: "detailed", ID: idOf("family", v.families[0]), Name: v.families[0], Active: v.active, totals: t.families[v.families[0]],
	}
	if len(v.families) > 1 {
		f.Parent = &familyParent{ResponseMode: "normal", ID: idOf("family", v.families[1]), Name: v.families[1]}
	}
	return []family{f}
}

func (t *tally) padDetailed(p *pad) padDetailed {
	n := t.pads[p]
	d := padDetailed{
		ID: p.id, URL: fmt.Sprintf("%spads/%d/", api, p.id), Active: true, Name: p.name,
		MapURL:   fmt.Sprintf("https://www.google.com/maps?q=%v,%v", *p.latitude, *p.longitude),
		Latitude: p.latitude, Longitude: p.longitude, Country: p.country.detailed(),
		Launches: n.launches, OrbitalLaunches: n.orbital, Location: t.location(p.location),
	}
	if n.fastest > 0 {
		d.FastestTurnaround = optional(isoDuration(n.fastest))
	}
	return d
}

func (t *tally) location(l *location) locationDetailed {
	return locationDetailed{
		ResponseMode: "normal", ID: l.id, URL: fmt.Sprintf("%slocations/%d/", api, l.id), Name: l.name, Active: true,
		Body: bodyDetailed{
			ResponseMode: "normal", ID: 1, Name: "Earth", Type: named{1, "Planet"}, Diameter: 12742000, Mass: 5.972168e+24,
			Gravity: 9.80655, LengthOfDay: "1 00:00:00", Atmosphere: true, Description: "The third planet from the Sun.",
			WikiURL: "https://en.wikipedia.org/wiki/Earth", AttemptedLaunches: t.all.Launches, Launches: t.all.Successful, FailedLaunches: t.all.Failed,
		},
		Country: l.country.detailed(), Longitude: l.longitude, Latitude: l.latitude, TimezoneName: l.timezone, Launches: t.locations[l],
	}
}

func programs(kinds []*programKind) []program {
	out := []program{}
	for _, k := range kinds {
		out = append(out, program{
			ResponseMode: "normal", ID: k.id, URL: fmt.Sprintf("%sprograms/%d/", api, k.id), Name: k.name, Type: named{k.kind, programTypes[k.kind]},
		})
	}
	return out
}

// encode writes as the API does: compact, and text as it is.
func encode(d any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return nil, fmt.Errorf("write a recorded launch: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// slug is Django's slugify: ASCII words in lower case joined by hyphens.
func slug(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_'):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case r == ' ' || r == '-':
			gap = true
		}
	}
	return b.String()
}

// idSpace is the name space of ids that LL2 has but the recording does not know.
var idSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte(api+"launches/"))

func madeID(name string) string { return uuid.NewSHA1(idSpace, []byte(name)).String() }

// firstOwnID is above every number that LL2 has used.
const firstOwnID = 100_001

func numberOf(kind string, n int) int { return firstOwnID + len(kind)*10_000 + n }

func idOf(kind, name string) int { return firstOwnID + int(hash(kind+":"+name)%1_000_000) }

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// madeUpdate is a last_updated for a launch whose own is not known: some moment between the launch, or the time when LL2
// took in old launches, and the first state.
func madeUpdate(id string, net time.Time) time.Time {
	earliest := time.Date(2023, 8, 1, 0, 0, 0, 0, time.UTC)
	if after := net.Add(time.Hour); after.After(earliest) {
		earliest = after
	}
	span := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).Sub(earliest)
	return earliest.Add(time.Duration(hash(id)%uint64(span/time.Second)) * time.Second)
}
