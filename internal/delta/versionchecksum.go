package delta

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
)

// versionChecksum is what a table adds up to at one version, by which damage to the log can be seen (spec: Version Checksum File). Lists
// that are not there are not known; empty ones are empty.
type versionChecksum struct {
	TxnID              string          `json:"txnId,omitempty"`
	TableSizeBytes     int64           `json:"tableSizeBytes"`
	NumFiles           int64           `json:"numFiles"`
	NumDeletedRecords  *int64          `json:"numDeletedRecordsOpt,omitempty"`
	NumDeletionVectors *int64          `json:"numDeletionVectorsOpt,omitempty"`
	NumMetadata        int64           `json:"numMetadata"` // 1
	NumProtocol        int64           `json:"numProtocol"` // 1
	InCommitTimestamp  *int64          `json:"inCommitTimestampOpt,omitempty"`
	Txns               []txnAction     `json:"setTransactions,omitzero"`
	Domains            []domainAction  `json:"domainMetadata,omitzero"`
	Metadata           *metadataAction `json:"metadata"` // old writers left it out, and the protocol
	Protocol           *protocolAction `json:"protocol"`
	Files              []addAction     `json:"allFiles,omitzero"` // read, not written
}

// More of them than that are left out, as Spark does.
const (
	maxChecksumTxns    = 100
	maxChecksumDomains = 10
)

// checksum is O(1) in the table's files.
func (s *Snapshot) checksum(txnID string) *versionChecksum {
	metadata := *s.state.metadata
	metadata.fill()
	files := s.state.files.fileTotals
	c := &versionChecksum{TxnID: txnID, TableSizeBytes: files.bytes, NumFiles: int64(files.count), NumMetadata: 1, NumProtocol: 1,
		Metadata: &metadata, Protocol: s.state.protocol}
	if s.protocol.lists("deletionVectors") {
		vectors := int64(files.vectors)
		c.NumDeletedRecords, c.NumDeletionVectors = &files.deletedRows, &vectors
	}
	if s.inCommitTimestamps() {
		at := s.timestamp.UnixMilli()
		c.InCommitTimestamp = &at
	}
	if len(s.state.txns) <= maxChecksumTxns && !metadata.forgetsTxns() {
		c.Txns = make([]txnAction, 0, len(s.state.txns))
		for _, id := range sortedKeys(s.state.txns) {
			c.Txns = append(c.Txns, s.state.txns[id])
		}
	}
	if len(s.state.domains) <= maxChecksumDomains {
		c.Domains = make([]domainAction, 0, len(s.state.domains))
		for _, name := range sortedKeys(s.state.domains) {
			c.Domains = append(c.Domains, s.state.domains[name])
		}
	}
	return c
}

// forgetsTxns is whether readers differ, by their clocks, in which applications' progress there is.
func (m *metadataAction) forgetsTxns() bool {
	_, limited := m.Configuration["delta.setTransactionRetentionDuration"]
	return limited
}

// putChecksum writes the checksum of a version that was just committed. One that is there is never overwritten. The commit stands
// whether that works out or not.
func (t *Table) putChecksum(ctx context.Context, s *Snapshot, txnID string) {
	text, err := json.Marshal(s.checksum(txnID))
	if err == nil {
		err = t.store.PutIfAbsent(ctx, checksumKey(s.Version()), append(text, '\n'))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		t.logger().WarnContext(ctx, "no checksum of the version could be written; the table is as good without", "version", s.Version(), "error", err)
	}
}

func parseChecksum(text []byte) (*versionChecksum, error) {
	c := &versionChecksum{}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, err
	}
	for i := range c.Files {
		c.Files[i].Path = decodePath(c.Files[i].Path)
	}
	return c, nil
}

// hasChecksum is whether a version has one, as far as the listing goes.
func (l *listing) hasChecksum(v Version) bool {
	_, ok := slices.BinarySearch(l.checksums, v)
	return ok
}
