package delta

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"launchlake/internal/objstore"
)

// lastCheckpoint is the content of _last_checkpoint (spec: Last Checkpoint File).
type lastCheckpoint struct {
	Version       Version `json:"version"`
	Size          int64   `json:"size"` // actions
	SizeInBytes   int64   `json:"sizeInBytes,omitempty"`
	NumOfAddFiles int64   `json:"numOfAddFiles,omitempty"`
	Checksum      string  `json:"checksum,omitempty"` // see jsonChecksum
}

// readLastCheckpoint gives the version of the checkpoint that _last_checkpoint names; noVersion when it cannot be had.
// It is only a hint, so nothing that is wrong with it is an error.
func (t *Table) readLastCheckpoint(ctx context.Context) Version {
	text, err := objstore.ReadAll(ctx, t.store, lastCheckpointKey)
	if err != nil {
		return noVersion
	}
	hint := lastCheckpoint{Version: noVersion}
	if json.Unmarshal(text, &hint) != nil || hint.Version < 0 {
		return noVersion
	}
	if sum, err := jsonChecksum(text); hint.Checksum != "" && (err != nil || sum != hint.Checksum) {
		return noVersion
	}
	return hint.Version
}

func (t *Table) writeLastCheckpoint(ctx context.Context, hint lastCheckpoint) error {
	text, err := json.Marshal(hint)
	if err == nil {
		hint.Checksum, err = jsonChecksum(text)
	}
	if err == nil {
		text, err = json.Marshal(hint)
	}
	if err != nil {
		return err
	}
	if err := t.store.Put(ctx, lastCheckpointKey, bytes.NewReader(text)); err != nil {
		return fmt.Errorf("write _last_checkpoint: %w", err)
	}
	return nil
}
