package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/contract"
	"launchlake/internal/delta"
)

func load(t *testing.T, name string) *contract.Contract {
	t.Helper()
	c, err := contract.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryContractOfTheProgramLoads(t *testing.T) {
	for _, name := range contract.Names() {
		if c := load(t, name); c.Name != name || c.Table != "silver/"+name {
			t.Errorf("contract %s is called %s and describes %s", name, c.Name, c.Table)
		}
	}
}

func TestAnUnknownContractIsNamedWithThoseThereAre(t *testing.T) {
	_, err := contract.Load("lunches")
	if err == nil || !strings.Contains(err.Error(), `"lunches"`) || !strings.Contains(err.Error(), "launches") {
		t.Errorf("got %v", err)
	}
}

func TestLaunchesHasTheColumnsThatModelsRelyOn(t *testing.T) {
	c := load(t, "launches")
	want := strings.Fields(`id name slug launch_designator status_id status_abbrev net net_precision_id net_period_start
		net_period_end window_start window_end last_updated probability weather_concerns failreason is_suborbital provider_id
		provider_name provider_abbrev provider_type provider_country_code rocket_id rocket_name rocket_full_name rocket_variant
		rocket_family mission_id mission_name mission_type orbit_id orbit_abbrev pad_id pad_name pad_latitude pad_longitude
		pad_country_code location_id location_name celestial_body_id program_names webcast_live bronze_version bronze_sha256`)
	var got []string
	for _, column := range c.Columns {
		if slices.Contains(want, column.Name) {
			got = append(got, column.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"id"}, c.Keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestRequiredColumnsBecomeRulesBeforeTheDeclaredOnes(t *testing.T) {
	var got []string
	for _, rule := range load(t, "launches").Rules {
		got = append(got, rule.Name+" "+string(rule.Action))
	}
	want := []string{
		"id_present quarantine", "net_present quarantine", "last_updated_present quarantine",
		"provider_id_present quarantine", "pad_id_present quarantine",
		"id_is_uuid quarantine", "status_known quarantine", "net_in_period warn", "latitude_in_range quarantine",
		"longitude_in_range quarantine", "net_in_window quarantine",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestDescriptionsBecomeColumnCommentsOfTheSchema(t *testing.T) {
	schema := load(t, "launches").Schema()
	field, ok := schema.Field("program_names")
	want := delta.Field{Name: "program_names", Type: &delta.Array{Element: delta.String, ContainsNull: true}, Nullable: true}
	comment := string(field.Metadata["comment"])
	field.Metadata = nil
	if diff := cmp.Diff(want, field); !ok || diff != "" {
		t.Errorf("program_names (-want +got):\n%s", diff)
	}
	if comment != `"The programmes that the launch belongs to, in the source's order."` {
		t.Errorf("comment is %s", comment)
	}
	if id, _ := schema.Field("id"); id.Nullable {
		t.Error("the key can be null")
	}
}

const valid = `apiVersion: v3.1.0
kind: DataContract
id: test
version: 1.0.0
status: draft
schema:
  - name: things
    physicalName: silver/things
    properties:
      - name: id
        logicalType: string
        physicalType: string
        primaryKey: true
        description: The key.
        transformSourceObjects: [$.id]
        quality:
          - name: short
            type: custom
            engine: launchlake
            implementation: {expect: length(id) < 9, action: drop, message: too long}
      - name: size
        logicalType: number
        physicalType: double
        description: Metres.
        transformSourceObjects: [$.size]
    quality:
      - name: mostly_good
        type: custom
        engine: launchlake
        implementation: {expectOfAll: quarantined < 5, action: fail, message: too many}
`

func TestAMistakeInAContractIsReportedWithItsLine(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"an unknown key", "primaryKey: true", "primeryKey: true", "c.yaml:13: field primeryKey not found"},
		{"a key given twice", "primaryKey: true", "name: other", `c.yaml:13: mapping key "name" already defined at line 10`},
		{"broken YAML", "kind: DataContract", "kind: [", "c.yaml:"},
		{"a column named twice", "name: size", "name: id", `c.yaml:21: property "id" is already defined at line 10`},
		{"an action that is none", "action: drop", "action: delete", `c.yaml:20: rule "short": action "delete" is not one of warn, drop, quarantine, fail`},
		{"a rule without message", ", message: too long", "", `c.yaml:20: rule "short" needs expect and message`},
		{"a rule of another engine", "engine: launchlake", "engine: soda", `c.yaml:17: quality entry "short" must have type custom and engine launchlake`},
		{"a rule with the name of an implied one", "name: short", "name: id_present", `c.yaml:17: rule "id_present" is already defined at line 10`},
		{"a rule with the name of a built-in one", "name: short", "name: well_typed", `c.yaml:17: rule "well_typed" is already defined by every contract`},
		{"types that do not fit", "physicalType: double", "physicalType: long", `c.yaml:23: property "size": physicalType "long" does not fit logicalType "number"`},
		{"an unknown type", "logicalType: number", "logicalType: object", `property "size": logicalType "object" is not supported`},
		{"a path that is none", "[$.size]", "[size]", `c.yaml:25: property "size": source "size" is neither`},
		{"a column from nowhere", "        transformSourceObjects: [$.size]\n", "", `property "size" has neither transformSourceObjects nor transformLogic`},
		{"two wildcards", "[$.size]", "['$.a[*].b[*]']", `more than one [*]`},
		{"no key", "primaryKey: true", "primaryKey: false", "no property is the primaryKey"},
		{"no description", "description: Metres.", "description: ''", `property "size" has no description`},
		{"another standard", "v3.1.0", "v2.2.2", "c.yaml:1: apiVersion must be v3.1.0"},
		{"a name that SQL would have to quote", "name: size", "name: Size m", `c.yaml:21: property name "Size m" must be`},
		{"SQL that engines read differently", "expect: length(id) < 9", "expect: 'regexp_like(id, ''\\d'')'", `c.yaml:20: expect of rule "short" has a backslash`},
		{"a limit that does not fail", "action: fail", "action: warn", `c.yaml:30: rule "mostly_good": expectOfAll goes with action fail`},
		{"a limit of a column", "expect: length(id) < 9", "expectOfAll: length(id) < 9", `c.yaml:20: rule "short": expectOfAll is for rules of the table`},
		{"a limit with the name of a rule", "name: mostly_good", "name: short", `c.yaml:27: rule "short" is already defined at line 17`},
		{"a second document", "", "", "c.yaml: more than one document"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(valid, tt.old, tt.new, 1)
			if tt.old == "" {
				text = valid + "---\nkind: DataContract\n"
			}
			_, err := contract.Parse("c.yaml", []byte(text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	text := strings.NewReplacer("action: drop", "action: x", "double", "x").Replace(valid)
	_, err := contract.Parse("c.yaml", []byte(text))
	if err == nil || strings.Count(err.Error(), "c.yaml:") != 2 {
		t.Errorf("got %v", err)
	}
}

func TestAValidContractIsReadAsWritten(t *testing.T) {
	got, err := contract.Parse("c.yaml", []byte(valid))
	if err != nil {
		t.Fatal(err)
	}
	want := &contract.Contract{
		ID: "test", Name: "things", Version: "1.0.0", Table: "silver/things",
		Columns: []contract.Column{
			{Name: "id", Type: delta.String, Description: "The key.", Required: true, Key: true, Paths: []string{"$.id"}},
			{Name: "size", Type: delta.Double, Description: "Metres.", Paths: []string{"$.size"}},
		},
		Rules: []contract.Rule{
			{Name: "id_present", Expect: "id is not null", Action: contract.Quarantine, Message: "id is missing"},
			{Name: "short", Expect: "length(id) < 9", Action: contract.Drop, Message: "too long"},
		},
		Limits: []contract.Limit{{Name: "mostly_good", Expect: "quarantined < 5", Message: "too many"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contract (-want +got):\n%s", diff)
	}
}
