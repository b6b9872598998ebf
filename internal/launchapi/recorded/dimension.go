package recorded

import (
	"strings"
)

type country struct {
	id                               int
	alpha2, alpha3, name             string
	nationality, nationalityComposed string
}

type provider struct {
	id           int
	name, abbrev string
	kind         int // a key of agencyTypes
	countries    []*country
	founded      *int
	wiki         string
}

type vehicle struct {
	id                                                             int
	label                                                          string // what a launch's name begins with
	name, fullName, variant                                        string
	families                                                       []string // from the nearest to its outermost parent
	manufacturer                                                   *provider
	maiden                                                         string
	active, reusable                                               bool
	length, diameter, mass, leoCapacity, gtoCapacity, thrust, cost *float64
}

type location struct {
	id                  int
	name, timezone      string
	country             *country // nil on the high seas and in the air
	latitude, longitude *float64
}

type pad struct {
	id                  int
	name                string
	location            *location
	country             *country
	latitude, longitude *float64
}

type programKind struct {
	id   int
	name string
	kind int // a key of programTypes
}

func (c *catalog) readDimensions() error {
	countries, err := dimension("countries", "alpha3", func(l *line) *country {
		return &country{
			id: l.integer("id"), alpha2: l.text("alpha2"), alpha3: l.text("alpha3"), name: l.text("name"),
			nationality: l.text("nationality"), nationalityComposed: l.text("nationality_composed"),
		}
	})
	if err != nil {
		return err
	}
	if err := c.readProviders(countries); err != nil {
		return err
	}
	if err := c.readVehicles(); err != nil {
		return err
	}
	if err := c.readPads(countries); err != nil {
		return err
	}
	c.programs, err = dimension("programs", "key", func(l *line) *programKind {
		return &programKind{id: l.integer("id"), name: l.text("name"), kind: l.integer("type")}
	})
	return err
}

func (c *catalog) readProviders(countries map[string]*country) (err error) {
	c.providers, err = dimension("providers", "key", func(l *line) *provider {
		p := &provider{id: l.integer("id"), name: l.text("name"), abbrev: l.cells["abbrev"], kind: l.integer("type"), wiki: l.cells["wiki"]}
		for _, code := range splitList(l.text("countries")) {
			found, ok := countries[code]
			l.check(ok, "countries", code)
			p.countries = append(p.countries, found)
		}
		if l.cells["founded"] != "" {
			year := l.integer("founded")
			p.founded = &year
		}
		return p
	})
	return err
}

func (c *catalog) readVehicles() (err error) {
	c.vehicles, err = dimension("vehicles", "key", func(l *line) *vehicle {
		return &vehicle{
			id: l.integer("id"), label: l.text("label"), name: l.text("name"), fullName: l.text("full_name"),
			variant: l.cells["variant"], families: splitFamilies(l.cells["families"]),
			manufacturer: pick(l, "manufacturer", c.providers), maiden: l.cells["maiden_flight"],
			active: l.text("active") == "y", reusable: l.text("reusable") == "y",
			length: l.number("length"), diameter: l.number("diameter"), mass: l.number("launch_mass"),
			leoCapacity: l.number("leo_capacity"), gtoCapacity: l.number("gto_capacity"),
			thrust: l.number("to_thrust"), cost: l.number("launch_cost"),
		}
	})
	return err
}

// splitFamilies takes "Falcon 9<Falcon" apart. LL2 names no family for some rockets.
func splitFamilies(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "<")
}

func (c *catalog) readPads(countries map[string]*country) error {
	land := func(l *line) *country {
		if l.cells["country"] == none {
			return nil
		}
		return pick(l, "country", countries)
	}
	locations, err := dimension("locations", "key", func(l *line) *location {
		return &location{
			id: l.integer("id"), name: l.text("name"), timezone: l.cells["timezone"], country: land(l),
			latitude: l.number("latitude"), longitude: l.number("longitude"),
		}
	})
	if err != nil {
		return err
	}
	c.pads, err = dimension("pads", "key", func(l *line) *pad {
		return &pad{
			id: l.integer("id"), name: l.text("name"), location: pick(l, "location", locations), country: land(l),
			latitude: l.number("latitude"), longitude: l.number("longitude"),
		}
	})
	return err
}

// dimension reads a table whose key column tells its lines apart.
func dimension[T any](name, key string, parse func(*line) *T) (map[string]*T, error) {
	lines, err := read(name)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*T, len(lines))
	for _, l := range lines {
		_, twice := out[l.text(key)]
		l.check(!twice, key, l.cells[key]+" twice")
		out[l.cells[key]] = parse(l)
		if l.err != nil {
			return nil, l.err
		}
	}
	return out, nil
}
