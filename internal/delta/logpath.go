package delta

import (
	"fmt"
	"strconv"
	"strings"
)

// Names in the log (spec: Delta Log Entries, Checkpoints). Sorted by bytes they are sorted by version.

const (
	logPrefix         = "_delta_log/"
	lastCheckpointKey = logPrefix + "_last_checkpoint"
	sidecarPrefix     = logPrefix + "_sidecars/"
)

func versionPrefix(v Version) string { return fmt.Sprintf("%s%020d", logPrefix, v) }
func commitKey(v Version) string     { return versionPrefix(v) + ".json" }
func checksumKey(v Version) string   { return versionPrefix(v) + ".crc" }
func checkpointKey(v Version) string { return versionPrefix(v) + ".checkpoint.parquet" }

// logFile is what the name of an object in the log says. Objects of other names are none of the reader's business.
type logFile struct {
	kind        logFileKind
	version     Version
	part, parts int     // of a multi-part checkpoint, from 1
	last        Version // of a compaction, whose first is version
}

type logFileKind int

const (
	otherFile logFileKind = iota
	commitLogFile
	checksumLogFile
	compactedLogFile
	classicCheckpoint
	multiPartCheckpoint
	v2Checkpoint
)

const (
	versionDigits = 20
	partDigits    = 10
	uuidChars     = 36
)

// parseLogName looks at every name of a log, of which there may be many.
func parseLogName(key string) logFile {
	name, ok := strings.CutPrefix(key, logPrefix)
	if !ok {
		return logFile{}
	}
	version, rest, ok := cutDigits(name, versionDigits)
	f := logFile{version: Version(version)}
	switch {
	case !ok:
		return logFile{}
	case rest == ".json":
		f.kind = commitLogFile
	case rest == ".crc":
		f.kind = checksumLogFile
	case rest == ".checkpoint.parquet":
		f.kind = classicCheckpoint
	case strings.HasSuffix(rest, compactedSuffix):
		f.parseCompaction(strings.TrimSuffix(rest, compactedSuffix))
	default:
		f.parseCheckpoint(strings.CutPrefix(rest, ".checkpoint."))
	}
	if f.kind == otherFile {
		return logFile{}
	}
	return f
}

const compactedSuffix = ".compacted.json"

// parseCompaction looks at what stands between the first version of a compaction and the suffix.
func (f *logFile) parseCompaction(name string) {
	if text, ok := strings.CutPrefix(name, "."); ok {
		if last, rest, ok := cutDigits(text, versionDigits); ok && rest == "" && Version(last) > f.version {
			f.kind, f.last = compactedLogFile, Version(last)
		}
	}
}

// parseCheckpoint looks at what follows the version of a checkpoint in parts or of one with a unique name.
func (f *logFile) parseCheckpoint(name string, ok bool) {
	if !ok {
		return
	}
	if part, rest, ok := cutDigits(name, partDigits); ok && strings.HasPrefix(rest, ".") {
		if parts, rest, ok := cutDigits(rest[1:], partDigits); ok && rest == ".parquet" {
			f.kind, f.part, f.parts = multiPartCheckpoint, int(part), int(parts)
			return
		}
	}
	if len(name) > uuidChars && isUUID(name[:uuidChars]) && (name[uuidChars:] == ".json" || name[uuidChars:] == ".parquet") {
		f.kind = v2Checkpoint
	}
}

func isUUID(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF-") == "" }

// cutDigits cuts a number of so many digits off.
func cutDigits(s string, digits int) (n int64, rest string, ok bool) {
	if len(s) < digits {
		return 0, "", false
	}
	for _, c := range []byte(s[:digits]) {
		if c < '0' || c > '9' {
			return 0, "", false
		}
	}
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	return n, s[digits:], err == nil
}
