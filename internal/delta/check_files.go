package delta

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"launchlake/internal/objstore"
)

// wantedFile is an object that a version needs.
type wantedFile struct {
	key  string
	size int64  // noSize: not told
	file string // the key of the data file in the version; "": a file of deletion vectors
}

const noSize int64 = -1

// wanted lists the objects that data files need, by key. Those outside of the table are left out.
func (t *Table) wanted(files iter.Seq[*addAction]) ([]wantedFile, error) {
	var out []wantedFile
	vectors := map[string]bool{}
	for a := range files {
		if key, err := t.FileKey(a.Path); err == nil {
			out = append(out, wantedFile{key: strings.Clone(key), size: a.Size, file: strings.Clone(a.key())})
		}
		if a.DeletionVector == nil {
			continue
		}
		file, err := a.DeletionVector.file()
		if err != nil {
			return nil, err
		}
		if key, err := t.FileKey(file); err == nil && key != "" && !vectors[key] {
			vectors[key] = true
			out = append(out, wantedFile{key: key, size: noSize})
		}
	}
	slices.SortStableFunc(out, func(a, b wantedFile) int { return strings.Compare(a.key, b.key) })
	return out, nil
}

// file gives the file that a deletion vector lies in, a key or an absolute URI; "" when the vector is part of the action.
func (v *DeletionVector) file() (string, error) {
	switch v.StorageType {
	case "i":
		return "", nil
	case "p":
		return decodePath(v.PathOrInlineDv), nil
	case "u":
		return vectorKey(v.PathOrInlineDv)
	}
	return "", &UnsupportedError{Features: []string{fmt.Sprintf("deletion vector storage type %.20q", v.StorageType)}}
}

// located is a wanted object with what the store has of it; info is nil when it has none.
type located struct {
	wantedFile
	info *objstore.Info
}

// locate finds wanted objects in one listing of the table, however many files it has. Every object of the listing is shown to others, unless
// that is nil.
func (t *Table) locate(ctx context.Context, files []wantedFile, others func(objstore.Info)) iter.Seq2[located, error] {
	return func(yield func(located, error) bool) {
		rest := files
		for info, err := range t.store.List(ctx, "", "") {
			if err != nil {
				yield(located{}, err)
				return
			}
			if others != nil {
				others(info)
			}
			for len(rest) > 0 && rest[0].key <= info.Key {
				l := located{wantedFile: rest[0]}
				if l.key == info.Key {
					l.info = &info
				}
				rest = rest[1:]
				if !yield(l, nil) {
					return
				}
			}
			if len(rest) == 0 && others == nil {
				return
			}
		}
		for _, f := range rest {
			if !yield(located{wantedFile: f}, nil) {
				return
			}
		}
	}
}

// files looks for the objects of a version, and gives the data files that are there whole.
func (c *checker) files(ctx context.Context, s *Snapshot) ([]wantedFile, error) {
	files, err := c.table.wanted(s.state.files.all())
	if err != nil {
		return nil, c.found(UnreadableVersion, commitKey(s.Version()), "%v", err)
	}
	var present []wantedFile
	before := ""
	done := 0
	lone, err := c.loneVectors(s)
	if err != nil {
		return nil, c.found(UnreadableVersion, commitKey(s.Version()), "%v", err)
	}
	for f, err := range c.table.locate(ctx, files, lone) {
		if err != nil {
			return nil, err
		}
		done++
		c.progress("files", done, len(files))
		switch {
		case f.key == before:
			err = c.found(FileTwice, f.key, "version %d has it with two deletion vectors", s.Version())
		case f.info == nil && !c.isThere(ctx, f.key):
			err = c.found(MissingFile, f.key, "version %d needs it, and it is not there", s.Version())
		case f.info != nil && f.size != noSize && f.info.Size != f.size:
			err = c.found(WrongSize, f.key, "it has %d bytes, the log says %d", f.info.Size, f.size)
		case f.info != nil && f.file != "":
			present = append(present, f.wantedFile)
		}
		if err != nil {
			return nil, err
		}
		before = f.key
	}
	return present, nil
}

// loneVectors gives the function that tells files of deletion vectors that neither a live file of the latest version nor a tombstone names;
// nil when nobody wants to know.
func (c *checker) loneVectors(s *Snapshot) (func(objstore.Info), error) {
	if c.options.LoneVector == nil || c.options.Version != nil {
		return nil, nil
	}
	named := map[string]bool{}
	note := func(v *DeletionVector) error {
		if v == nil {
			return nil
		}
		file, err := v.file()
		if err != nil {
			return err
		}
		if key, err := c.table.FileKey(file); err == nil {
			named[key] = true
		}
		return nil
	}
	for a := range s.state.files.all() {
		if err := note(a.DeletionVector); err != nil {
			return nil, err
		}
	}
	for r := range s.state.tombstones.all() {
		if err := note(r.DeletionVector); err != nil {
			return nil, err
		}
	}
	return func(info objstore.Info) {
		if isVectorFile(info.Key) && !named[info.Key] {
			c.options.LoneVector(info)
		}
	}, nil
}

// isThere asks for an object that a listing did not show: the listing may have begun before it was written.
func (c *checker) isThere(ctx context.Context, key string) bool {
	body, err := c.table.store.Get(ctx, key, 0, 1)
	if err != nil {
		return !isMissing(err)
	}
	_ = body.Close()
	return true
}
