package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/lake"
	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/miniotest"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/s3"
	"launchlake/internal/task"
)

// scene is what the tasks meet: a lake in which all is done, and the launch API.
type scene struct {
	api     *launchapitest.Server
	url     string            // of the lake
	store   map[string]string // the environment by which it is reached
	minio   string
	watcher *watcher
}

// newScene makes the lake by the tasks themselves, in a folder, goes on with each log for as long as wanted, and brings all to MinIO.
func newScene(ctx context.Context, bin string, versions int) (*scene, error) {
	folder, err := os.MkdirTemp("", "launchlake-idle-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	s := &scene{url: folder}
	if err := s.startAPI(); err != nil {
		return nil, err
	}
	for _, name := range tasks {
		if _, err := runTask(filepath.Join(bin, name), s.environment("", s.api.URL()), task.Done); err != nil {
			return nil, err
		}
	}
	local, err := lake.Open(ctx, lake.Config{URL: folder})
	if err != nil {
		return nil, err
	}
	names, err := local.Tables(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := lengthen(ctx, local.Table(name), versions); err != nil {
			return nil, fmt.Errorf("lengthen the log of %s: %w", name, err)
		}
	}
	if s.store, s.url, err = miniotest.NewBucket(ctx); err != nil {
		return nil, err
	}
	s.minio = s.store["S3_ENDPOINT"]
	if err := s.upload(ctx, local.Store()); err != nil {
		return nil, fmt.Errorf("bring the lake to MinIO: %w", err)
	}
	s.watcher, err = newWatcher(s.minio, s.api.URL())
	return s, err
}

func (s *scene) close() {
	s.watcher.close()
	s.api.Close()
}

func (s *scene) startAPI() error {
	launches, err := recorded.State(1)
	if err != nil {
		return err
	}
	s.api, err = launchapitest.New(launchapitest.Options{
		States: [][]json.RawMessage{launches}, Undated: true, Now: func() time.Time { return recorded.AsOf(1) },
	})
	return err
}

// uploads is how many objects are brought to MinIO at a time.
const uploads = 16

func (s *scene) upload(ctx context.Context, from objstore.Store) error {
	for name, value := range s.store {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	to, err := s3.Open(ctx, filepath.Base(s.url), "", s3.Options{Endpoint: s.minio, PathStyle: true})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for info, err := range from.List(ctx, "", "") {
		if err != nil {
			return err
		}
		group.Go(func() error {
			body, err := from.Get(ctx, info.Key, 0, -1)
			if err != nil {
				return err
			}
			defer body.Close()
			return to.Put(ctx, info.Key, body)
		})
	}
	return group.Wait()
}
