package task

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/kelseyhightower/envconfig"

	"launchlake/internal/lake"
)

// Common is the configuration that all tasks share. It is embedded in the configuration of each.
type Common struct {
	LakeURL     string     `envconfig:"LAKE_URL" required:"true" desc:"where the tables lie: file:///folder, a path that begins with / or ./, or s3://bucket/prefix"`
	S3Endpoint  string     `envconfig:"S3_ENDPOINT" desc:"URL of an S3 server other than AWS, such as http://localhost:9000"`
	S3PathStyle bool       `envconfig:"S3_PATH_STYLE" default:"false" desc:"true: address buckets by path, as MinIO wants it"`
	RunID       string     `envconfig:"RUN_ID" desc:"name of this run in tables, logs and the result; a new UUID when not set"`
	LogFormat   LogFormat  `envconfig:"LOG_FORMAT" default:"auto" desc:"json, text, or auto: text on a terminal, else json"`
	LogLevel    slog.Level `envconfig:"LOG_LEVEL" default:"info" desc:"debug, info, warn or error"`
}

// Lake says which lake the configuration names.
func (c *Common) Lake() lake.Config {
	return lake.Config{URL: c.LakeURL, S3Endpoint: c.S3Endpoint, S3PathStyle: c.S3PathStyle}
}

func (c *Common) common() *Common { return c }

// commonOf finds the Common that a job's configuration embeds.
func commonOf(config any) *Common {
	embedding, ok := config.(interface{ common() *Common })
	if !ok {
		panic(fmt.Sprintf("task: the configuration %T is no pointer to a struct that embeds task.Common", config))
	}
	return embedding.common()
}

// Load fills a job's configuration from the environment and checks it, without any other I/O. A variable that is
// empty counts as not set. The error names the variable and has the exit code [BadConfig].
func Load(config any) error {
	common := commonOf(config)
	defer func() {
		if common.RunID == "" {
			common.RunID = NewRunID()
		}
	}()
	for _, v := range variablesOf(config) {
		if os.Getenv(v.name) == "" {
			_ = os.Unsetenv(v.name)
		}
	}
	if err := envconfig.Process("", config); err != nil {
		return Fail(BadConfig, describe(err, config))
	}
	if err := common.validate(); err != nil {
		return Fail(BadConfig, err)
	}
	if checked, ok := config.(interface{ Validate() error }); ok {
		return Fail(BadConfig, checked.Validate())
	}
	return nil
}

func (c *Common) validate() error {
	if err := c.Lake().Validate(); err != nil {
		variable := "LAKE_URL"
		if errors.Is(err, lake.ErrBadEndpoint) {
			variable = "S3_ENDPOINT"
		}
		return fmt.Errorf("%s: %w", variable, err)
	}
	if strings.ContainsFunc(c.RunID, unicode.IsControl) || len(c.RunID) > maxRunID {
		return BadValue("RUN_ID", c.RunID, fmt.Sprintf("printable text of at most %d bytes", maxRunID))
	}
	return nil
}

const maxRunID = 250

// NewRunID makes UUIDs that sort by time and serve as run ids of OpenLineage.
func NewRunID() string {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.NewString()
	}
	return id.String()
}

// BadValue is the error of a variable whose value is not what it must be. It has the exit code [BadConfig].
func BadValue(variable, value, want string) error {
	return Fail(BadConfig, fmt.Errorf("%s: %q is not %s", variable, redact(value, nil), want))
}

// describe says in the words of this package what envconfig found.
func describe(err error, config any) error {
	parse, ok := errors.AsType[*envconfig.ParseError](err)
	if !ok {
		for _, v := range variablesOf(config) {
			if v.required && os.Getenv(v.name) == "" {
				return fmt.Errorf("%s is not set: %s", v.name, v.meaning)
			}
		}
		return err
	}
	for _, v := range variablesOf(config) {
		if v.name == parse.KeyName {
			return BadValue(v.name, parse.Value, v.want())
		}
	}
	return err
}

// variable is one variable of a configuration, as its struct tags describe it.
type variable struct {
	name, preset, meaning string
	required              bool
	kind                  reflect.Type
}

// variablesOf lists the variables of a configuration in the order of the struct.
func variablesOf(config any) []variable {
	return appendVariables(nil, reflect.TypeOf(config).Elem())
}

func appendVariables(list []variable, t reflect.Type) []variable {
	for field := range t.Fields() {
		if field.Anonymous {
			list = appendVariables(list, field.Type)
			continue
		}
		if name := field.Tag.Get("envconfig"); name != "" {
			list = append(list, variable{
				name:     name,
				preset:   field.Tag.Get("default"),
				meaning:  field.Tag.Get("desc"),
				required: field.Tag.Get("required") == "true",
				kind:     field.Type,
			})
		}
	}
	return list
}

// want says what values a variable can have.
func (v variable) want() string {
	switch {
	case v.kind == reflect.TypeFor[time.Duration]():
		return "a duration, such as 90s, 5m or 12h"
	case v.kind == reflect.TypeFor[LogFormat]():
		return "auto, json or text"
	case v.kind == reflect.TypeFor[slog.Level]():
		return "debug, info, warn or error"
	}
	switch v.kind.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return v.meaning
}
