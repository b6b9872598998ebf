package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// imports says which packages of this module each package imports outside its tests. A missing arrow fails the
// test as a forbidden one does, so the map cannot rot.
var imports = map[string][]string{
	"internal": {},

	// Leaves: what others build on.
	"objstore":    {},
	"objstore/s3": {"objstore"},
	"rawjson":     {},
	"secret":      {},
	"delta":       {"objstore", "rawjson"},

	// The source.
	"launchapi":               {"rawjson", "secret"},
	"launchapi/launchapitest": {"rawjson"},
	"launchapi/recorded":      {"rawjson"},

	// The layers, and what they share.
	"contract":               {"delta"},
	"engine":                 {"delta"},
	"engine/duckdb/sparksql": {"delta"},
	"engine/document":        {"delta", "engine", "rawjson"},
	"engine/duckdb":          {"delta", "engine", "engine/document", "engine/duckdb/sparksql", "engine/publication", "objstore"},
	"engine/publication":     {"delta", "engine"},
	"engine/spark":           {"delta", "engine", "engine/document", "engine/publication", "engine/spark/connect", "objstore", "rawjson"},
	"engine/spark/connect":   {},
	"bronze":                 {"delta", "objstore", "rawjson"},
	"silver":                 {"contract", "delta", "engine"},
	"gold":                   {"delta", "engine"},

	// The jobs, which put the parts together.
	"lake":           {"delta", "objstore", "objstore/s3"},
	"otlp":           {},
	"task":           {"delta", "lake", "objstore", "otlp", "secret"},
	"task/engines":   {"engine", "engine/duckdb", "engine/spark", "lake", "secret", "task"},
	"task/ingest":    {"bronze", "lake", "launchapi", "launchapi/launchapitest", "launchapi/recorded", "secret", "task"},
	"task/refine":    {"contract", "delta", "lake", "silver", "task", "task/engines"},
	"task/aggregate": {"delta", "gold", "lake", "task", "task/engines"},

	// The binaries.
	"tasks/ingest":    {"task", "task/ingest"},
	"tasks/refine":    {"task", "task/refine"},
	"tasks/aggregate": {"task", "task/aggregate"},
	"tasks/lake":      {"delta", "engine", "lake", "launchapi", "objstore", "task", "task/aggregate", "task/engines", "task/ingest", "task/refine"},

	// For tests and measurements.
	"objstore/storetest": {"objstore"},
	"engine/enginetest":  {"delta", "engine", "objstore"},
	"miniotest":          {},
	"pythontest":         {},
	"sparktest":          {"pythontest"},
	"integration":        {},
	"bench":              {},
	"bench/cputime":      {},
	"bench/engines":      {"engine", "engine/duckdb", "lake", "launchapi/launchapitest", "launchapi/recorded", "sparktest"},
	"bench/idle":         {"delta", "lake", "launchapi/launchapitest", "launchapi/recorded", "miniotest", "objstore", "objstore/s3", "task"},
	"bench/opening":      {"delta", "objstore"},
	"bench/peers":        {"contract", "gold", "launchapi/launchapitest", "launchapi/recorded", "rawjson", "task"},
	"bench/pipeline":     {"launchapi/launchapitest", "launchapi/recorded", "task"},
	"blackbox":           {},
	"e2e":                {},
}

func TestPackagesImportWhatTheMapSays(t *testing.T) {
	got := map[string][]string{}
	for _, root := range []string{"internal", "tasks"} {
		collectImports(t, root, got)
	}
	if diff := cmp.Diff(imports, got); diff != "" {
		t.Errorf("imports differ from the map (-map +code):\n%s", diff)
	}
}

// collectImports adds the module's own imports of every package below root.
func collectImports(t *testing.T, root string, got map[string][]string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", root), func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		name := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(file), ".."+string(filepath.Separator)))
		name = strings.TrimPrefix(name, "internal/")
		own, err := ownImports(file)
		if err != nil {
			return err
		}
		all := append(got[name], own...)
		slices.Sort(all)
		got[name] = slices.Compact(all)
		if got[name] == nil {
			got[name] = []string{}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read the packages below %s: %v", root, err)
	}
}

func ownImports(file string) ([]string, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var own []string
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if rest, ok := strings.CutPrefix(imported, "launchlake/"); ok {
			own = append(own, strings.TrimPrefix(path.Clean(rest), "internal/"))
		}
	}
	return own, nil
}
