package delta

import (
	"fmt"
	"maps"
	"reflect"
)

// checksum compares the checksum of a version with what the commits up to it add up to.
func (r *logCheck) checksum(commit loggedVersion) error {
	key := checksumKey(commit.version)
	c, err := parseChecksum(commit.checksum)
	if err != nil {
		return r.found(FalseChecksum, key, "it is no checksum: %v", err)
	}
	for _, difference := range r.ledger.checksumDifferences(c, commit.commitFile) {
		if err := r.found(FalseChecksum, key, "%s", difference); err != nil {
			return err
		}
	}
	return nil
}

// checksumDifferences says in which ways a checksum is not that of this ledger, whose last commit is given.
func (l *ledger) checksumDifferences(c *versionChecksum, commit *commitFile) []string {
	var out []string
	number := func(name string, says, want int64) {
		if says != want {
			out = append(out, fmt.Sprintf("%s is %d, by the commits %d", name, says, want))
		}
	}
	optional := func(name string, says *int64, want int64) {
		if says != nil {
			number(name, *says, want)
		}
	}
	same := func(name string, is bool) {
		if !is {
			out = append(out, name+" is not that of the commits")
		}
	}
	info := parseCommitInfo(commit.info)
	number("tableSizeBytes", c.TableSizeBytes, l.totals.bytes)
	number("numFiles", c.NumFiles, int64(l.totals.count))
	number("numMetadata", c.NumMetadata, 1)
	number("numProtocol", c.NumProtocol, 1)
	optional("numDeletedRecordsOpt", c.NumDeletedRecords, l.totals.deletedRows)
	optional("numDeletionVectorsOpt", c.NumDeletionVectors, int64(l.totals.vectors))
	if !info.InCommitTimestamp.IsZero() {
		optional("inCommitTimestampOpt", c.InCommitTimestamp, info.InCommitTimestamp.UnixMilli())
	}
	same("txnId", c.TxnID == info.TxnID || c.TxnID == "" || info.TxnID == "")
	same("metadata", c.Metadata == nil || l.metadata != nil && l.metadata.same(c.Metadata))
	same("protocol", c.Protocol == nil || l.protocol != nil && l.protocol.parse().equal(c.Protocol.parse()))
	same("setTransactions", c.Txns == nil || l.metadata != nil && l.metadata.forgetsTxns() || l.hasTxns(c.Txns))
	same("domainMetadata", c.Domains == nil || l.hasDomains(c.Domains))
	same("allFiles", c.Files == nil || l.hasFiles(c.Files))
	return out
}

func (l *ledger) hasTxns(txns []txnAction) bool {
	there := map[string]txnAction{}
	for _, txn := range txns {
		there[txn.AppID] = txn
	}
	return len(txns) == len(there) && reflect.DeepEqual(l.txns, there)
}

func (l *ledger) hasDomains(domains []domainAction) bool {
	there := map[string]domainAction{}
	for _, d := range domains {
		there[d.Domain] = d
	}
	return len(domains) == len(there) && maps.Equal(l.domains, there)
}

func (l *ledger) hasFiles(files []addAction) bool {
	there := map[string]bool{}
	for i := range files {
		live, ok := l.files[files[i].key()]
		if !ok || live.Size != files[i].Size {
			return false
		}
		there[files[i].key()] = true
	}
	return len(files) == len(there) && len(there) == len(l.files)
}
