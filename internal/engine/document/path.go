package document

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"launchlake/internal/rawjson"
)

var stepText = regexp.MustCompile(`^(?:\.([^.\[\]]+)|\[([0-9]+)\])`)

// ParsePath takes a path without [*], such as $.families[0].name, apart.
func ParsePath(path string) ([]rawjson.Step, error) {
	rest, ok := strings.CutPrefix(path, "$")
	var steps []rawjson.Step
	for ok && rest != "" {
		m := stepText.FindStringSubmatch(rest)
		if ok = m != nil; !ok {
			break
		}
		s := rawjson.Step{Key: m[1]}
		if s.Key == "" {
			var err error
			if s.Index, err = strconv.Atoi(m[2]); err != nil {
				return nil, fmt.Errorf("path %s: %w", path, err)
			}
		}
		steps, rest = append(steps, s), rest[len(m[0]):]
	}
	if !ok {
		return nil, fmt.Errorf("path %s is not like $.pad.id, $.families[0].name or $.program[*].name", path)
	}
	return steps, nil
}
