package ingest

import (
	"context"
	"iter"
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
		for page, err := range s.client.Pages(ctx, launchapi.Query{Since: since}) {
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
	return bronze.Page{
		URL:        task.RedactURL(page.URL),
		Status:     page.Status,
		APIVersion: s.client.Version(),
		FetchedAt:  page.FetchedAt,
		ServerTime: page.ServerTime,
		Bytes:      page.Bytes,
		First:      page.Skipped,
		Results:    page.Results,
	}
}
