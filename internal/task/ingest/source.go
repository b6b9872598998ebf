package ingest

import (
	"context"
	"iter"
	"sync"
	"time"

	"launchlake/internal/bronze"
	"launchlake/internal/launchapi"
	"launchlake/internal/task"
)

// source is the launch API as Bronze wants it.
type source struct{ client *launchapi.Client }

// Pages implements [bronze.Source].
func (s source) Pages(ctx context.Context, since time.Time) iter.Seq2[bronze.Page, error] {
	return func(yield func(bronze.Page, error) bool) {
		for page, err := range ahead(ctx, func(ctx context.Context) iter.Seq2[launchapi.Page, error] {
			return s.client.Pages(ctx, launchapi.Query{Since: since})
		}) {
			if err != nil {
				yield(bronze.Page{}, err)
				return
			}
			if !yield(s.convert(page), nil) {
				return
			}
		}
	}
}

func (s source) convert(page launchapi.Page) bronze.Page {
	keys := make([]bronze.Key, len(page.Keys))
	for i, key := range page.Keys {
		keys[i] = bronze.Key(key)
	}
	return bronze.Page{
		URL:        task.RedactURL(page.URL),
		Status:     page.Status,
		APIVersion: s.client.Version(),
		FetchedAt:  page.FetchedAt,
		ServerTime: page.ServerTime,
		Bytes:      page.Bytes,
		First:      page.Skipped,
		Results:    page.Results,
		Keys:       keys,
		Release:    page.Release,
	}
}

// pagesAhead is how many pages are read before the one in hand is done with, besides the one that is being read.
const pagesAhead = 1

// ahead reads a sequence of pages while those before are worked on. When the reader stops the page on its way is given up.
func ahead(ctx context.Context, pages func(context.Context) iter.Seq2[launchapi.Page, error]) iter.Seq2[launchapi.Page, error] {
	type read struct {
		page launchapi.Page
		err  error
	}
	return func(yield func(launchapi.Page, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		ready, left := make(chan read, pagesAhead), make(chan struct{})
		var reader sync.WaitGroup
		reader.Go(func() {
			defer close(ready)
			for page, err := range pages(ctx) {
				select {
				case ready <- read{page, err}:
				case <-left:
					return
				}
			}
		})
		defer reader.Wait()
		defer stop()
		defer close(left)
		for r := range ready {
			if !yield(r.page, r.err) {
				return
			}
		}
	}
}
