package delta

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/objstore"
)

// referenceCase is what the writers of the reference tables say of one of them.
type referenceCase struct {
	Name     string
	Snapshot *struct {
		Version   Version
		NumFiles  int
		Protocol  protocolAction
		Metadata  metadataAction `json:"metaData"`
		Txns      map[string]int64
		Domains   map[string]json.RawMessage `json:"domainMetadata"`
		SizeBytes int64                      `json:"sizeInBytes"`
		Files     []struct {
			Path            string
			PartitionValues map[string]*string
			Size            int64
			Stats           json.RawMessage
		}
	}
	Specs []struct {
		ID, Kind  string
		Version   *Version
		Timestamp string
		Predicate string
		Columns   []string
		Rows      int64
		Error     any // a reason, or true
	}
}

// refusals are the features by which a table of the reference set may be refused; anything else is a failure.
var refusals = []string{"columnMapping", "deletionVectors", "typeWidening", "typeWidening-preview", "variantType", "variantShredding", "catalogManaged"}

func TestTablesOfOtherWritersAreReadRightlyOrRefusedByName(t *testing.T) {
	archives, _ := filepath.Glob(filepath.Join(sharedFolder(t), "delta-tables", "*", "*.tar.gz"))
	if len(archives) == 0 {
		t.Skip("the reference tables (../shared/delta-tables) are not there")
	}
	read, refused, failedRightly, specs := 0, map[string]int{}, 0, 0
	for _, archive := range archives {
		folder := filepath.Base(filepath.Dir(archive))
		t.Run(folder+"/"+strings.TrimSuffix(filepath.Base(archive), ".tar.gz"), func(t *testing.T) {
			c, store := unpackReference(t, archive)
			s, err := Open(store).Snapshot(t.Context())
			var unsupported *UnsupportedError
			switch {
			case errors.As(err, &unsupported):
				for _, name := range unsupported.Features {
					if !c.refuses(name) {
						t.Errorf("refused by %q, which is no feature of this table that is allowed to be missing", name)
					}
				}
				refused[strings.Join(unsupported.Features, "+")]++
				return
			case c.broken() && err == nil:
				t.Errorf("the table is broken; here it has version %d", s.Version())
			case c.broken():
				failedRightly++
				t.Logf("fails with: %v", err)
			case err != nil:
				t.Fatal(err)
			case c.Snapshot == nil: // the writers of the set could not read it, but the protocol lets others
				read++
			default:
				read++
				compareHead(t, store, s)
				c.compare(t, s)
			}
			specs += c.compareSpecs(t, store)
		})
	}
	t.Logf("%d tables: %d read, %d broken ones failed, refused by feature: %v; %d specs compared by their row counts",
		len(archives), read, failedRightly, refused, specs)
}

func (c *referenceCase) refuses(name string) bool {
	return slices.Contains(refusals, name) || c.broken()
}

func TestACheckpointOfAnyTableHoldsWhatItsCommitsSay(t *testing.T) {
	archives, _ := filepath.Glob(filepath.Join(sharedFolder(t), "delta-tables", "*", "*.tar.gz"))
	if len(archives) == 0 {
		t.Skip("the reference tables (../shared/delta-tables) are not there")
	}
	written := 0
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".tar.gz"), func(t *testing.T) {
			_, store := unpackReference(t, archive)
			before, err := Open(store).Snapshot(t.Context())
			if err != nil || before.protocol.checkWrite(before.usage()) != nil {
				t.Skipf("not a table to be written: %v", err)
			}
			after := onlyCheckpoint(t, store, before)
			written++
			if diff := cmp.Diff(describeState(t, before), describeState(t, after), cmp.Comparer(sameFloat)); diff != "" {
				t.Errorf("state (-by commits +by checkpoint):\n%s", diff)
			}
		})
	}
	t.Logf("%d checkpoints written and read back", written)
}

// onlyCheckpoint writes a checkpoint and opens the table with nothing else left in its log.
func onlyCheckpoint(t *testing.T, store objstore.Store, s *Snapshot) *Snapshot {
	t.Helper()
	for info, err := range store.List(t.Context(), logPrefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		if f := parseLogName(info.Key); f.kind != commitLogFile || f.version != s.Version() {
			if err := store.Delete(t.Context(), info.Key); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := Open(store).Checkpoint(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	after, err := Open(store).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return after
}

// compareHead reads the version but for its files: all else is the same.
func compareHead(t *testing.T, store objstore.Store, s *Snapshot) {
	t.Helper()
	h, err := Open(store).Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type text struct {
		Protocol, Metadata, Txns, Domains any
	}
	say := func(h *Head) text { return text{h.state.protocol, h.state.metadata, h.state.txns, h.state.domains} }
	if diff := cmp.Diff(say(&s.Head), say(h)); diff != "" || !h.Timestamp().Equal(s.Timestamp()) {
		t.Errorf("head of %v and %v (-of the snapshot +read alone):\n%s", s.Timestamp(), h.Timestamp(), diff)
	}
}

// stateText is a state in a form that cmp compares; DataChange, which a checkpoint does not keep, is left out.
type stateText struct {
	Protocol   Protocol
	Metadata   Metadata
	Txns       map[string]int64
	Domains    map[string]domainAction
	Files      []addAction
	Public     []Add
	Tombstones []removeAction
}

func describeState(t *testing.T, s *Snapshot) stateText {
	t.Helper()
	out := stateText{Protocol: s.Protocol(), Metadata: s.Metadata(), Txns: s.AppVersions(), Domains: s.state.domains}
	if len(out.Metadata.Configuration) == 0 {
		out.Metadata.Configuration = nil
	}
	for f, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		f.DataChange = false
		out.Public = append(out.Public, f)
	}
	for a := range s.state.files.all() {
		file := *a
		file.DataChange, file.PartitionValues = false, nil
		if !s.metadata.statsAsText() {
			file.Stats = ""
		}
		if len(file.Tags) == 0 {
			file.Tags = nil
		}
		out.Files = append(out.Files, file)
	}
	expired := time.Now().Add(-s.metadata.deletedFileRetention()).UnixMilli()
	for r := range s.state.tombstones.all() {
		gone := *r
		gone.DataChange, gone.PartitionValues, gone.Tags = false, nil, nil
		if gone.DeletionTimestamp > expired {
			out.Tombstones = append(out.Tombstones, gone)
		}
	}
	return out
}

// broken says that the log itself cannot be read.
func (c *referenceCase) broken() bool {
	for _, spec := range c.Specs {
		if spec.Error == nil || spec.Version != nil {
			return false
		}
	}
	return c.Snapshot == nil
}

func (c *referenceCase) compare(t *testing.T, s *Snapshot) {
	t.Helper()
	want := c.Snapshot
	if s.Version() != want.Version || s.NumFiles() != want.NumFiles || s.SizeInBytes() != want.SizeBytes {
		t.Errorf("version %d, %d files, %d bytes; want version %d, %d files, %d bytes",
			s.Version(), s.NumFiles(), s.SizeInBytes(), want.Version, want.NumFiles, want.SizeBytes)
	}
	sorted := func(p Protocol) Protocol {
		slices.Sort(p.ReaderFeatures)
		slices.Sort(p.WriterFeatures)
		return p
	}
	if diff := cmp.Diff(sorted(want.Protocol.parse()), sorted(s.Protocol())); diff != "" {
		t.Errorf("protocol (-want +got):\n%s", diff)
	}
	metadata, err := want.Metadata.parse()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(metadata, s.Metadata()); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Txns, s.AppVersions()); diff != "" && len(want.Txns)+len(s.AppVersions()) > 0 {
		t.Errorf("application versions (-want +got):\n%s", diff)
	}
	if len(want.Domains) != len(s.Domains()) {
		t.Errorf("metadata domains %v, want %v", s.Domains(), want.Domains)
	}
	files := map[string]Add{}
	for f, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		files[f.Path] = f
	}
	columns := slices.Collect(s.metadata.leaves())
	for _, f := range want.Files {
		path, err := url.PathUnescape(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := files[decodePath(encodePath(path))]
		if !ok {
			t.Errorf("file %q is missing", path)
			continue
		}
		if diff := cmp.Diff(resolvePartitionValues(&metadata, f.PartitionValues), got.PartitionValues); diff != "" || got.Size != f.Size {
			t.Errorf("file %q: size %d, want %d; partition values (-want +got):\n%s", path, got.Size, f.Size, diff)
		}
		if diff := cmp.Diff(parseStats(string(f.Stats), columns), got.Stats, cmp.Comparer(sameFloat), cmp.FilterPath(isBound, cmp.Comparer(sameBound))); diff != "" {
			t.Errorf("file %q: statistics (-want +got):\n%s", path, diff)
		}
	}
}

func sameFloat(a, b float64) bool { return compareFloats(a, b) == 0 }

func isBound(p cmp.Path) bool {
	last := p.Last().String()
	return last == ".Min" || last == ".Max"
}

// sameBound compares decimals as the reference gives them: its JSON went through floating point.
func sameBound(want, got any) bool {
	w, wantDecimal := want.(DecimalValue)
	g, gotDecimal := got.(DecimalValue)
	switch {
	case wantDecimal && gotDecimal:
		x, _ := strconv.ParseFloat(string(w), 64)
		y, _ := strconv.ParseFloat(string(g), 64)
		return math.Abs(x-y) <= 1e-12*math.Abs(x)
	case wantDecimal || gotDecimal:
		return want == nil || got == nil // the reference was rounded to more digits than the type has
	default:
		return cmp.Equal(want, got, cmp.Comparer(sameFloat))
	}
}

// compareSpecs runs time travel: each spec that reads a whole version, by the count of its rows.
func (c *referenceCase) compareSpecs(t *testing.T, store objstore.Store) int {
	compared := 0
	for _, spec := range c.Specs {
		if spec.Kind != "read" || spec.Version == nil && spec.Timestamp == "" {
			continue
		}
		var s *Snapshot
		var err error
		if spec.Version != nil {
			s, err = Open(store).SnapshotAt(t.Context(), *spec.Version)
		} else {
			at, e := parseTimestamp(spec.Timestamp)
			if e != nil {
				t.Fatal(e)
			}
			s, err = Open(store).SnapshotAsOf(t.Context(), at)
		}
		var unsupported *UnsupportedError
		if errors.As(err, &unsupported) {
			continue
		}
		compared++
		if (spec.Error != nil) != (err != nil) {
			t.Errorf("spec %s (version %v, time %q): got error %v, want %v", spec.ID, spec.Version, spec.Timestamp, err, spec.Error)
			continue
		}
		if err != nil || spec.Predicate != "" {
			continue
		}
		if n, ok := s.NumRecords(); ok && n != spec.Rows {
			t.Errorf("spec %s (version %v, time %q): version %d has %d rows, want %d", spec.ID, spec.Version, spec.Timestamp, s.Version(), n, spec.Rows)
		}
	}
	return compared
}

func unpackReference(t *testing.T, archive string) (*referenceCase, objstore.Store) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	c, store := &referenceCase{}, objstore.NewMemory()
	for files := tar.NewReader(zipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return c, store
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if header.Name == "case.json" {
			if err := json.NewDecoder(files).Decode(c); err != nil {
				t.Fatal(err)
			}
		}
		key, ok := strings.CutPrefix(header.Name, "delta/")
		if !ok {
			continue
		}
		if err := store.Put(t.Context(), key, files); err != nil {
			t.Fatal(fmt.Errorf("%q: %w", key, err))
		}
		store.SetModTime(key, header.ModTime.Truncate(time.Microsecond))
	}
}

// sharedFolder is the folder of reference data beside the checkout.
func sharedFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return filepath.Join(folder, "..", "shared")
		}
		if folder == filepath.Dir(folder) {
			t.Fatal("no go.mod above the test")
		}
		folder = filepath.Dir(folder)
	}
}
