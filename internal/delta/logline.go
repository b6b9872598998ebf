package delta

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// logLine is a line of a commit file: one action (spec: Actions). Unknown actions and unknown fields are passed over.
type logLine struct {
	CommitInfo json.RawMessage `json:"commitInfo,omitempty"`
	Protocol   *protocolAction `json:"protocol,omitempty"`
	Metadata   *metadataAction `json:"metaData,omitempty"`
	Txn        *txnAction      `json:"txn,omitempty"`
	Domain     *domainAction   `json:"domainMetadata,omitempty"`
	Remove     *removeAction   `json:"remove,omitempty"`
	Add        *addAction      `json:"add,omitempty"`
	CDC        *cdcAction      `json:"cdc,omitempty"`
}

// addAction is a file of the table. In memory the path is decoded; encodePath makes the log's spelling.
type addAction struct {
	Path                    string             `json:"path"`
	PartitionValues         map[string]*string `json:"partitionValues"`
	Size                    int64              `json:"size"`
	ModificationTime        int64              `json:"modificationTime"`
	DataChange              bool               `json:"dataChange"`
	Stats                   string             `json:"stats,omitempty"`
	Tags                    map[string]*string `json:"tags,omitempty"`
	DeletionVector          *DeletionVector    `json:"deletionVector,omitempty"`
	BaseRowID               *int64             `json:"baseRowId,omitempty"`
	DefaultRowCommitVersion *int64             `json:"defaultRowCommitVersion,omitempty"`
	ClusteringProvider      *string            `json:"clusteringProvider,omitempty"`
}

type removeAction struct {
	Path                    string             `json:"path"`
	DeletionTimestamp       int64              `json:"deletionTimestamp,omitempty"`
	DataChange              bool               `json:"dataChange"`
	ExtendedFileMetadata    bool               `json:"extendedFileMetadata,omitempty"`
	PartitionValues         map[string]*string `json:"partitionValues,omitzero"`
	Size                    *int64             `json:"size,omitempty"`
	Tags                    map[string]*string `json:"tags,omitempty"`
	DeletionVector          *DeletionVector    `json:"deletionVector,omitempty"`
	BaseRowID               *int64             `json:"baseRowId,omitempty"`
	DefaultRowCommitVersion *int64             `json:"defaultRowCommitVersion,omitempty"`
}

type cdcAction struct {
	Path            string             `json:"path"`
	PartitionValues map[string]*string `json:"partitionValues"`
	Size            int64              `json:"size"`
	DataChange      bool               `json:"dataChange"` // always false
}

type txnAction struct {
	AppID       string `json:"appId"`
	Version     int64  `json:"version"`
	LastUpdated *int64 `json:"lastUpdated,omitempty"`
}

type domainAction struct {
	Domain        string `json:"domain"`
	Configuration string `json:"configuration"`
	Removed       bool   `json:"removed"`
}

type protocolAction struct {
	MinReaderVersion int       `json:"minReaderVersion"`
	MinWriterVersion int       `json:"minWriterVersion"`
	ReaderFeatures   *[]string `json:"readerFeatures,omitempty"`
	WriterFeatures   *[]string `json:"writerFeatures,omitempty"`
}

type metadataAction struct {
	ID               string            `json:"id"`
	Name             *string           `json:"name,omitempty"`
	Description      *string           `json:"description,omitempty"`
	Format           formatAction      `json:"format"`
	SchemaString     string            `json:"schemaString"`
	PartitionColumns []string          `json:"partitionColumns"`
	Configuration    map[string]string `json:"configuration"`
	CreatedTime      *int64            `json:"createdTime,omitempty"`
}

type formatAction struct {
	Provider string            `json:"provider"`
	Options  map[string]string `json:"options"`
}

// key tells logical files apart: a file with another deletion vector is another file (spec: Action Reconciliation).
func (a *addAction) key() string    { return fileKey(a.Path, a.DeletionVector) }
func (r *removeAction) key() string { return fileKey(r.Path, r.DeletionVector) }

func fileKey(path string, dv *DeletionVector) string {
	if dv == nil {
		return path
	}
	return path + "\x00" + dv.id()
}

// commitFile is a commit, parsed: at most one action for a logical file.
type commitFile struct {
	version  Version
	modTime  time.Time
	mark     commitMark
	info     json.RawMessage // nil when the commit has none
	protocol *protocolAction
	metadata *metadataAction
	txns     []txnAction
	domains  []domainAction
	adds     []*addAction
	removes  []*removeAction
	changes  []*cdcAction
}

// parseCommit reads the text of a commit. The protocol wants at most one action for a file in it; should there be more,
// the last wins, as in Spark.
func parseCommit(v Version, text []byte) (*commitFile, error) {
	return parseActions(v, text, allActions)
}

func parseActions(v Version, text []byte, wanted scope) (*commitFile, error) {
	c, _, err := parseLines(v, text, wanted)
	return c, err
}

// parseLines tells as well how many actions there are in the text that are wanted and known.
func parseLines(v Version, text []byte, wanted scope) (c *commitFile, actions int, err error) {
	c = &commitFile{version: v, mark: commitMark{sum: sumOf(text)}}
	lines := 0
	files := map[string]logLine{}
	for n := 1; len(text) > 0; n++ {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		lines++
		if wanted == headActions && isFileAction(line) {
			continue
		}
		var l logLine
		if err := parseLine(line, &l); err != nil {
			return nil, 0, &CorruptError{Key: commitKey(v), Err: fmt.Errorf("line %d: %w", n, err)}
		}
		if c.take(l, files) {
			actions++
		}
	}
	if lines == 0 {
		return nil, 0, &CorruptError{Key: commitKey(v), Err: errors.New("the commit is empty")}
	}
	for _, l := range files {
		if l.Add != nil {
			c.adds = append(c.adds, l.Add)
		} else {
			c.removes = append(c.removes, l.Remove)
		}
	}
	slices.SortFunc(c.adds, func(a, b *addAction) int { return strings.Compare(a.key(), b.key()) })
	slices.SortFunc(c.removes, func(a, b *removeAction) int { return strings.Compare(a.key(), b.key()) })
	return c, actions, nil
}

// isFileAction tells a line that is about a file by its beginning, as all writers spell it. It may say no wrongly.
func isFileAction(line []byte) bool {
	return bytes.HasPrefix(line, []byte(`{"add":`)) || bytes.HasPrefix(line, []byte(`{"remove":`)) || bytes.HasPrefix(line, []byte(`{"cdc":`))
}

// take takes an action in; false when it is of no known kind.
func (c *commitFile) take(l logLine, files map[string]logLine) bool {
	switch {
	case l.Add != nil:
		files[l.Add.key()] = logLine{Add: l.Add}
	case l.Remove != nil:
		files[l.Remove.key()] = logLine{Remove: l.Remove}
	case l.Txn != nil:
		c.txns = append(c.txns, *l.Txn)
	case l.Domain != nil:
		c.domains = append(c.domains, *l.Domain)
	case l.Metadata != nil:
		c.metadata = l.Metadata
	case l.Protocol != nil:
		c.protocol = l.Protocol
	case l.CommitInfo != nil:
		c.info = l.CommitInfo
	case l.CDC != nil:
		c.changes = append(c.changes, l.CDC)
	default:
		return false
	}
	return true
}

// parseLine reads one action and checks what replay relies on.
func parseLine(line []byte, l *logLine) error {
	if line[0] != '{' {
		return fmt.Errorf("not an action: %.40q", line)
	}
	if err := json.Unmarshal(line, l); err != nil {
		return err
	}
	switch {
	case l.Add != nil:
		if l.Add.Path == "" {
			return errors.New("add without a path")
		}
		l.Add.Path = decodePath(l.Add.Path)
	case l.Remove != nil:
		if l.Remove.Path == "" {
			return errors.New("remove without a path")
		}
		l.Remove.Path = decodePath(l.Remove.Path)
	case l.CDC != nil:
		if l.CDC.Path == "" {
			return errors.New("cdc without a path")
		}
		l.CDC.Path = decodePath(l.CDC.Path)
	case l.Protocol != nil:
		return l.Protocol.check()
	}
	return nil
}

func (p *protocolAction) check() error {
	if p.MinReaderVersion < 1 || p.MinWriterVersion < 1 {
		return fmt.Errorf("impossible protocol (%d,%d)", p.MinReaderVersion, p.MinWriterVersion)
	}
	return nil
}

// appendLine adds an action to the text of a commit.
func appendLine(text []byte, l logLine) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if l.Add != nil {
		add := *l.Add
		add.Path = encodePath(add.Path)
		l.Add = &add
	}
	if l.Remove != nil {
		remove := *l.Remove
		remove.Path = encodePath(remove.Path)
		l.Remove = &remove
	}
	if l.CDC != nil {
		change := *l.CDC
		change.Path = encodePath(change.Path)
		l.CDC = &change
	}
	if err := encoder.Encode(l); err != nil { // ends with a newline
		return nil, err
	}
	return append(text, b.Bytes()...), nil
}
