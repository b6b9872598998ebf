package launchapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"launchlake/internal/bench/cputime"
	"launchlake/internal/launchapi"
	"launchlake/internal/launchapi/launchapitest"
)

// BenchmarkPass reads 20,000 launches of 4 KB from a fake server over loopback.
func BenchmarkPass(b *testing.B) {
	const count = 20_000
	filler := strings.Repeat(`{"id":1,"name":"some nested object","flag":true,"value":null},`, 60)
	records := make([]json.RawMessage, count)
	size := 0
	for n := range records {
		records[n] = json.RawMessage(fmt.Sprintf(`{"id":"id-%06d","last_updated":%q,"n":[%s0]}`, n,
			epoch.Add(time.Duration(n)*time.Second).Format(time.RFC3339), filler))
		size += len(records[n])
	}
	server := launchapitest.Start(b, launchapitest.Options{States: [][]json.RawMessage{records}})
	c, err := launchapi.New(server.URL(), launchapi.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	defer cputime.PerMB(b, int64(size))()
	for b.Loop() {
		read := 0
		for page, err := range c.Pages(b.Context(), launchapi.Query{}) {
			if err != nil {
				b.Fatal(err)
			}
			read += len(page.Results)
		}
		if read != count {
			b.Fatalf("%d launches, want %d", read, count)
		}
	}
}
