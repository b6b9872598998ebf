package contract

import (
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is the part of ODCS 3.1 that contracts here use. Keys that are not in it are errors: what this program
// would not do must not look as if it did.
type document struct {
	APIVersion  string   `yaml:"apiVersion"`
	Kind        string   `yaml:"kind"`
	ID          string   `yaml:"id"`
	Name        string   `yaml:"name"`
	Version     string   `yaml:"version"`
	Status      string   `yaml:"status"`
	Tags        []string `yaml:"tags"`
	Description purpose  `yaml:"description"`
	Schema      []table  `yaml:"schema"`
}

type purpose struct {
	Purpose     string `yaml:"purpose"`
	Limitations string `yaml:"limitations"`
	Usage       string `yaml:"usage"`
}

type table struct {
	Name         string     `yaml:"name"`
	PhysicalName string     `yaml:"physicalName"`
	PhysicalType string     `yaml:"physicalType"`
	LogicalType  string     `yaml:"logicalType"`
	Description  string     `yaml:"description"`
	Grain        string     `yaml:"dataGranularityDescription"`
	Properties   []property `yaml:"properties"`
	Quality      []quality  `yaml:"quality"`
}

type property struct {
	Name         string    `yaml:"name"`
	LogicalType  string    `yaml:"logicalType"`
	PhysicalType string    `yaml:"physicalType"`
	Required     bool      `yaml:"required"`
	PrimaryKey   bool      `yaml:"primaryKey"`
	KeyPosition  int       `yaml:"primaryKeyPosition"`
	Description  string    `yaml:"description"`
	Sources      []string  `yaml:"transformSourceObjects"`
	Logic        string    `yaml:"transformLogic"`
	Examples     []any     `yaml:"examples"`
	Tags         []string  `yaml:"tags"`
	Items        *property `yaml:"items"`
	Quality      []quality `yaml:"quality"`
}

type quality struct {
	Name           string         `yaml:"name"`
	Type           string         `yaml:"type"`
	Engine         string         `yaml:"engine"`
	Description    string         `yaml:"description"`
	Dimension      string         `yaml:"dimension"`
	Severity       string         `yaml:"severity"`
	BusinessImpact string         `yaml:"businessImpact"`
	Implementation implementation `yaml:"implementation"`
}

type implementation struct {
	Expect      string `yaml:"expect"`
	ExpectOfAll string `yaml:"expectOfAll"`
	Action      string `yaml:"action"`
	Message     string `yaml:"message"`
}

// lines finds the line of a place in the file, for messages. A place is a path of mapping keys and sequence indexes.
type lines struct{ root *yaml.Node }

func (l lines) at(path ...any) int {
	node := l.root
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	line := max(node.Line, 1)
	for _, step := range path {
		if node = child(node, step); node == nil {
			return line // the key is missing: its owner's line serves
		}
		line = node.Line
	}
	return line
}

func child(node *yaml.Node, step any) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch step := step.(type) {
	case int:
		if node.Kind == yaml.SequenceNode && step < len(node.Content) {
			return node.Content[step]
		}
	case string:
		for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1]
			}
		}
	}
	return nil
}

// comment is the field metadata that Spark and others show as a column's comment.
func comment(text string) map[string]json.RawMessage {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	quoted, _ := json.Marshal(text)
	return map[string]json.RawMessage{"comment": quoted}
}
