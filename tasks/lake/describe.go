package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
)

type describeCommand struct {
	Table string
	at
	Format string
}

func newDescribeCommand(s *session) *cobra.Command {
	var c describeCommand
	cmd := &cobra.Command{
		Use:   "describe TABLE",
		Short: "Show a table's protocol, properties, sizes and progress.",
		Args:  exactly("TABLE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c.Table = args[0]
			return c.Run(s)
		},
	}
	describeUsage(cmd, "", "TABLE", tableArgument)
	c.at.addFlags(cmd)
	addFormat(cmd.Flags(), &c.Format, "table, or json: one object.", "table", "json")
	return cmd
}

// tableDetail is what there is to know of a table without reading its rows.
type tableDetail struct {
	Table            string            `json:"table"`
	ID               string            `json:"id"`
	Name             string            `json:"name,omitempty"`
	Description      string            `json:"description,omitempty"`
	Created          time.Time         `json:"createdAt"`
	Version          int64             `json:"version"`
	Changed          time.Time         `json:"lastModified"`
	Rows             *int64            `json:"numRecords"` // null when the statistics do not say
	Files            int               `json:"numFiles"`
	Bytes            int64             `json:"sizeInBytes"`
	Smallest         int64             `json:"smallestFile"`
	Largest          int64             `json:"largestFile"`
	PartitionColumns []string          `json:"partitionColumns"`
	MinReader        int               `json:"minReaderVersion"`
	MinWriter        int               `json:"minWriterVersion"`
	Features         []string          `json:"tableFeatures"`
	Properties       map[string]string `json:"properties"`
	Applications     map[string]int64  `json:"transactions"`
}

func (c describeCommand) Run(s *session) error {
	t, err := s.table(c.Table)
	if err != nil {
		return err
	}
	snapshot, err := c.snapshot(s, t, c.Table)
	if err != nil {
		return err
	}
	detail, err := detailOf(c.Table, snapshot)
	if err != nil {
		return commandError(c.Table, err)
	}
	if c.Format == "json" {
		return json.NewEncoder(s.out).Encode(detail)
	}
	return detail.write(s.out)
}

func detailOf(name string, s *delta.Snapshot) (tableDetail, error) {
	m, p := s.Metadata(), s.Protocol()
	d := tableDetail{
		Table: name, ID: m.ID, Name: m.Name, Description: m.Description, Created: m.CreatedTime,
		Version: int64(s.Version()), Changed: s.Timestamp(), Files: s.NumFiles(), Bytes: s.SizeInBytes(),
		PartitionColumns: m.PartitionColumns, MinReader: p.MinReaderVersion, MinWriter: p.MinWriterVersion,
		Properties: m.Configuration, Applications: s.AppVersions(),
	}
	if rows, known := s.NumRecords(); known {
		d.Rows = &rows
	}
	d.Features = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.ReaderFeatures, p.WriterFeatures))))
	for f, err := range s.Files() {
		if err != nil {
			return d, err
		}
		if d.Smallest == 0 || f.Size < d.Smallest {
			d.Smallest = f.Size
		}
		d.Largest = max(d.Largest, f.Size)
	}
	return d, nil
}

func (d tableDetail) write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	rows := "not known"
	if d.Rows != nil {
		rows = fmt.Sprint(*d.Rows)
	}
	line("table", d.Table)
	line("name", d.Name)
	line("description", d.Description)
	line("id", d.ID)
	line("created", d.Created.Format(time.DateTime))
	line("version", fmt.Sprintf("%d, of %s", d.Version, d.Changed.Format(time.DateTime)))
	line("rows", rows)
	line("files", fmt.Sprintf("%d, %s in all", d.Files, size(d.Bytes)))
	if d.Files > 0 {
		line("file sizes", fmt.Sprintf("%s to %s", size(d.Smallest), size(d.Largest)))
	}
	line("partitioned by", strings.Join(d.PartitionColumns, ", "))
	line("protocol", fmt.Sprintf("reader %d, writer %d", d.MinReader, d.MinWriter))
	line("table features", strings.Join(d.Features, ", "))
	for _, key := range slices.Sorted(maps.Keys(d.Properties)) {
		line("property", key+" = "+d.Properties[key])
	}
	for _, app := range slices.Sorted(maps.Keys(d.Applications)) {
		line("progress", fmt.Sprintf("%s = %d", app, d.Applications[app]))
	}
	return w.Flush()
}
