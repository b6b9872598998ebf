// Package lake finds the tables of a lake.
//
// A [Lake] is a place, a folder or a prefix in a bucket, below which every table lies at its name, such as
// silver/launches. [Open] turns the URL of the place into the store that keeps it. [Lake.Probe] tells whether the
// store keeps the promises that commits rely on. What a table holds is not known here.
package lake

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/s3"
)

// Config says where a lake is.
type Config struct {
	URL         string // file:///folder, a path that begins with / or ./ or ../, or s3://bucket/prefix
	S3Endpoint  string // URL of an S3 server other than AWS
	S3PathStyle bool   // address buckets by path
}

// Validate checks the configuration without any I/O. The error matches [ErrBadURL], and [ErrBadEndpoint] when the
// endpoint is what is wrong.
func (c Config) Validate() error {
	if _, err := parseURL(c.URL); err != nil {
		return err
	}
	return checkEndpoint(c.S3Endpoint)
}

// Lake is a place for tables. It may be used concurrently.
type Lake struct {
	store  objstore.Store
	url    string
	folder string // "" unless the lake is a folder
}

// Open opens a lake. The lake need not hold anything yet; that its bucket exists is seen by the first use.
func Open(ctx context.Context, c Config) (*Lake, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	at, err := parseURL(c.URL)
	if err != nil {
		return nil, err
	}
	if at.folder != "" {
		store, err := objstore.NewDir(at.folder)
		if err != nil {
			return nil, fmt.Errorf("open lake %s: %w", at.folder, err)
		}
		return &Lake{store: store, url: "file://" + at.folder, folder: at.folder}, nil
	}
	store, err := s3.Open(ctx, at.bucket, at.prefix, s3.Options{Endpoint: c.S3Endpoint, PathStyle: c.S3PathStyle})
	if err != nil {
		return nil, fmt.Errorf("open lake %s: %w", c.URL, err)
	}
	return &Lake{store: store, url: strings.TrimSuffix("s3://"+at.bucket+"/"+at.prefix, "/")}, nil
}

// On makes a lake of a store, for stores that have no URL.
func On(store objstore.Store) *Lake { return &Lake{store: store, url: "(memory)"} }

// String gives the lake's URL.
func (l *Lake) String() string { return l.url }

// Store is where the lake lies; keys are relative to its root.
func (l *Lake) Store() objstore.Store { return l.store }

// LocalPath is the folder of a lake on this machine's file system; false for others.
func (l *Lake) LocalPath() (string, bool) { return l.folder, l.folder != "" }

// Table names a table of the lake, such as "silver/launches". It does no I/O: the table need not exist yet.
func (l *Lake) Table(name string) *delta.Table {
	return delta.OpenWith(objstore.Sub(l.store, name), delta.Options{Location: l.url + "/" + name})
}

const (
	// tableDepth is how many parts the name of a table may have.
	tableDepth = 3
	// afterAll sorts after every other text, so that a listing from folder/afterAll skips what is in the folder.
	afterAll = "\U0010FFFF"
	logDir   = "_delta_log"
)

// Tables lists the names of the tables in ascending order. It reads a listing of a few keys for each folder, whatever
// the number of files in it.
func (l *Lake) Tables(ctx context.Context) ([]string, error) {
	var names []string
	after := ""
	for {
		key, err := first(l.store.List(ctx, "", after))
		if err != nil {
			return nil, fmt.Errorf("list the tables of %s: %w", l, err)
		}
		if key == "" {
			return names, nil
		}
		var name string
		if name, after = tableOf(key); name != "" {
			names = append(names, name)
		}
	}
}

// first gives the first key of a listing, "" when it is empty.
func first(listing iter.Seq2[objstore.Info, error]) (string, error) {
	for info, err := range listing {
		return info.Key, err
	}
	return "", nil
}

// tableOf tells which table a key of a log belongs to, and after which key the next table can begin.
func tableOf(key string) (name, after string) {
	parts := strings.Split(key, "/")
	for depth, part := range parts[:len(parts)-1] {
		folder := strings.Join(parts[:depth], "/")
		switch {
		case part == logDir && depth > 0:
			return folder, folder + "/" + afterAll
		case strings.HasPrefix(part, ".") || depth == tableDepth:
			// Hidden, or too deep to hold a log: the folders of a table's partitions.
			return "", strings.Join(parts[:depth+1], "/") + "/" + afterAll
		}
	}
	return "", key
}
