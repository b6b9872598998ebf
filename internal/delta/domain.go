package delta

import (
	"errors"
	"fmt"
	"strings"
)

const (
	domainMetadataFeature = "domainMetadata"
	// systemDomains begins the names of domains that belong to table features, whose writers alone change them.
	systemDomains = "delta."
)

// SetDomain gives a metadata domain a configuration, which readers find by [Snapshot.Domain] (spec: Domain Metadata). The protocol is
// raised to what it asks for. Who changes the same domain meanwhile is a conflict. Names that begin with "delta." are those
// of table features and refused; other names are best chosen as those of Java packages.
func (tx *Transaction) SetDomain(name, configuration string) {
	tx.domains[name] = domainAction{Domain: name, Configuration: configuration}
}

// RemoveDomain takes a metadata domain away, which the table must have.
func (tx *Transaction) RemoveDomain(name string) {
	tx.domains[name] = domainAction{Domain: name, Removed: true}
}

func (tx *Transaction) prepareDomains(p *prepared) error {
	for _, name := range sortedKeys(tx.domains) {
		d := tx.domains[name]
		there, ok := tx.snapshot.state.domains[name]
		switch {
		case name == "":
			return errors.New("a metadata domain without a name")
		case strings.HasPrefix(name, systemDomains):
			return fmt.Errorf("metadata domain %q belongs to a table feature: its writers alone may change it; choose a name that does not begin with %q", name, systemDomains)
		case d.Removed && !ok:
			return fmt.Errorf("remove metadata domain %q: version %d has no such domain", name, tx.snapshot.Version())
		case d.Removed:
			d.Configuration = there.Configuration // the tombstone tells what was there
		}
		p.domains = append(p.domains, d)
	}
	return nil
}

// domainConflict gives the domain that both change; "" when there is none.
func (p *prepared) domainConflict(winner *commitFile) string {
	for _, ours := range p.domains {
		for _, theirs := range winner.domains {
			if ours.Domain == theirs.Domain {
				return ours.Domain
			}
		}
	}
	return ""
}
