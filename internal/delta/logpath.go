package delta

import (
	"fmt"
	"regexp"
	"strconv"
)

// Names in the log (spec: Delta Log Entries, Checkpoints). Sorted by bytes they are sorted by version.

const (
	logPrefix         = "_delta_log/"
	lastCheckpointKey = logPrefix + "_last_checkpoint"
	sidecarPrefix     = logPrefix + "_sidecars/"
)

func versionPrefix(v Version) string { return fmt.Sprintf("%s%020d", logPrefix, v) }
func commitKey(v Version) string     { return versionPrefix(v) + ".json" }
func checkpointKey(v Version) string { return versionPrefix(v) + ".checkpoint.parquet" }

var (
	commitName     = regexp.MustCompile(`^_delta_log/([0-9]{20})\.json$`)
	classicName    = regexp.MustCompile(`^_delta_log/([0-9]{20})\.checkpoint\.parquet$`)
	multiPartName  = regexp.MustCompile(`^_delta_log/([0-9]{20})\.checkpoint\.([0-9]{10})\.([0-9]{10})\.parquet$`)
	uuidCheckpoint = regexp.MustCompile(`^_delta_log/([0-9]{20})\.checkpoint\.[0-9A-Fa-f-]{36}\.(?:json|parquet)$`)
)

// logFile is what the name of an object in the log says. Objects of other names are none of the reader's business.
type logFile struct {
	kind        logFileKind
	version     Version
	part, parts int // of a multi-part checkpoint, from 1
}

type logFileKind int

const (
	otherFile logFileKind = iota
	commitLogFile
	classicCheckpoint
	multiPartCheckpoint
	v2Checkpoint
)

func parseLogName(key string) logFile {
	for _, kind := range []struct {
		kind logFileKind
		name *regexp.Regexp
	}{
		{commitLogFile, commitName},
		{classicCheckpoint, classicName},
		{multiPartCheckpoint, multiPartName},
		{v2Checkpoint, uuidCheckpoint},
	} {
		m := kind.name.FindStringSubmatch(key)
		if m == nil {
			continue
		}
		v, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return logFile{}
		}
		f := logFile{kind: kind.kind, version: Version(v)}
		if kind.kind == multiPartCheckpoint {
			f.part, _ = strconv.Atoi(m[2])
			f.parts, _ = strconv.Atoi(m[3])
		}
		return f
	}
	return logFile{}
}
