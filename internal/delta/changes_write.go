package delta

import (
	"fmt"
	"strings"
)

// ChangeDataFolder is the folder of a table in which files of changes lie.
const ChangeDataFolder = "_change_data"

// ChangeDataFeedEnabled is whether the table's property delta.enableChangeDataFeed asks for its changes.
func (s *Snapshot) ChangeDataFeedEnabled() bool { return s.metadata.enabled(changeDataFeedProperty) }

// AddChangeData tells readers of changes what the transaction does to the rows, by files that were stored before: in the folder
// _change_data, with the table's columns and a column _change_type. Path, PartitionValues and Size are looked at.
//
// When a commit has such files they are all that readers of changes see, so they hold every changed row: the deleted and inserted ones, and
// the updated ones before and after. A commit whose added and removed files and deletion vectors tell the same, which are those that only add
// rows or only delete them without writing the others again, needs none.
func (tx *Transaction) AddChangeData(files ...Add) { tx.changeData = append(tx.changeData, files...) }

func (tx *Transaction) prepareChanges(p *prepared) error {
	if len(tx.changeData) > 0 && !p.afterCommit.enabled(changeDataFeedProperty) {
		return fmt.Errorf("add %d files of changes: %w", len(tx.changeData), ErrNoChangeData)
	}
	for _, f := range tx.changeData {
		err := p.afterCommit.checkAdd(Add{Path: f.Path, PartitionValues: f.PartitionValues, Size: f.Size})
		if err == nil && !strings.HasPrefix(f.Path, ChangeDataFolder+"/") {
			err = fmt.Errorf("files of changes lie in %s", ChangeDataFolder)
		}
		if err != nil {
			return fmt.Errorf("add file of changes %q: %w", f.Path, err)
		}
		action, err := f.action(&p.afterCommit, nil, false)
		if err != nil {
			return err
		}
		p.changes = append(p.changes, &cdcAction{Path: action.Path, PartitionValues: action.PartitionValues, Size: action.Size})
	}
	return nil
}
