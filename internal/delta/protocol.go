package delta

import "slices"

// upgraded gives the lowest protocol that serves a table of this metadata and keeps every feature that the table has.
func (p Protocol) upgraded(m *Metadata) Protocol {
	var wanted []string
	for i := range features {
		if f := &features[i]; f.write != refused && f.wants(usage{metadata: m}) {
			wanted = append(wanted, f.name)
		}
	}
	return p.with(wanted...)
}

// with gives the lowest protocol that has these features and all that p has: old version numbers as long as they can say it, else
// lists of names (spec: Table Features).
func (p Protocol) with(names ...string) Protocol {
	has := map[*feature]bool{}
	for _, name := range slices.Concat(p.listed(true), p.listed(false)) {
		has[findFeature(name)] = true
	}
	var missing []string
	reader, writer := p.MinReaderVersion, p.MinWriterVersion
	legacy := writer < featureVersionWriter
	for _, name := range names {
		f := findFeature(name)
		if has[f] {
			continue
		}
		missing = append(missing, name)
		reader, writer = max(reader, f.legacyReader), max(writer, f.legacyWriter)
		legacy = legacy && f.legacyWriter > 0
	}
	switch {
	case len(missing) == 0:
		return p
	case legacy:
		return Protocol{MinReaderVersion: reader, MinWriterVersion: writer}
	}
	out := Protocol{MinReaderVersion: reader, MinWriterVersion: featureVersionWriter, WriterFeatures: union(p.listed(true), missing)}
	readers := union(p.listed(false), slices.DeleteFunc(missing, func(name string) bool { return !findFeature(name).reader }))
	if reader >= featureVersionReader || slices.ContainsFunc(readers, func(name string) bool { return findFeature(name).legacyReader == 0 }) {
		out.MinReaderVersion, out.ReaderFeatures = featureVersionReader, readers
	}
	return out
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func (p Protocol) equal(q Protocol) bool {
	return p.MinReaderVersion == q.MinReaderVersion && p.MinWriterVersion == q.MinWriterVersion &&
		slices.Equal(union(p.ReaderFeatures, nil), union(q.ReaderFeatures, nil)) &&
		slices.Equal(union(p.WriterFeatures, nil), union(q.WriterFeatures, nil))
}
