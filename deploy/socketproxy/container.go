package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// check refuses a value of a field.
type check func(value any) error

func anything(any) error { return nil }

// mustBe wants one value.
func mustBe(want any) check {
	return func(value any) error {
		if value != want {
			return fmt.Errorf("is %v and must be %v", value, want)
		}
		return nil
	}
}

// mustBeList wants a list of just this text.
func mustBeList(want string) check {
	return func(value any) error {
		if list, ok := value.([]any); !ok || len(list) != 1 || list[0] != want {
			return fmt.Errorf("is %v and must be [%s]", value, want)
		}
		return nil
	}
}

// mustBePositive wants a limit.
func mustBePositive(value any) error {
	if n, ok := value.(json.Number); ok {
		if limit, err := n.Int64(); err == nil && limit > 0 {
			return nil
		}
	}
	return fmt.Errorf("is %v and must be a limit", value)
}

// scratchOnly wants anonymous volumes: a named one may be another service's, and options can mount the host.
func scratchOnly(value any) error {
	mounts, ok := value.([]any)
	if !ok {
		return fmt.Errorf("is no list")
	}
	for _, m := range mounts {
		mount, ok := m.(map[string]any)
		if !ok {
			return fmt.Errorf("holds %v", m)
		}
		err := fields(mount, map[string]check{"Type": mustBe("volume"), "Target": anything}, "Type", "Target")
		if err != nil {
			return err
		}
	}
	return nil
}

func logOptions(value any) error {
	options, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("is %v", value)
	}
	return fields(options, map[string]check{"Type": mustBe("json-file"), "Config": anything})
}

// checkContainer refuses what a task's container must not be. A field that is not known here must be empty.
func (c config) checkContainer(spec map[string]any) error {
	err := fields(spec, map[string]check{
		"Image":        c.checkImage,
		"Labels":       c.checkLabels,
		"HostConfig":   c.checkHostConfig,
		"Cmd":          anything,
		"Env":          anything,
		"AttachStdout": anything,
		"AttachStderr": anything,
	}, "Image", "Labels", "HostConfig")
	if err != nil {
		return denied("the container's %s", err)
	}
	return nil
}

func (c config) checkImage(value any) error {
	image, _ := value.(string)
	if !c.isTaskImage(image) {
		return fmt.Errorf("%q begins with none of %s", image, strings.Join(c.Images, ", "))
	}
	return nil
}

func (c config) checkLabels(value any) error {
	labels, _ := value.(map[string]any)
	if labels[labelKind] != kindTask || labels[labelNetwork] != c.Network {
		return fmt.Errorf("lack %s=%s or %s=%s", labelKind, kindTask, labelNetwork, c.Network)
	}
	return nil
}

func (c config) checkHostConfig(value any) error {
	host, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("is no object")
	}
	return fields(host, map[string]check{
		"NetworkMode":    mustBe(c.Network),
		"ReadonlyRootfs": mustBe(true),
		"CapDrop":        mustBeList("ALL"),
		"SecurityOpt":    mustBeList("no-new-privileges"),
		"PidsLimit":      mustBePositive,
		"Memory":         mustBePositive,
		"MemorySwap":     mustBePositive,
		"NanoCpus":       mustBePositive,
		"Mounts":         scratchOnly,
		"LogConfig":      logOptions,
	}, "NetworkMode", "ReadonlyRootfs", "CapDrop", "SecurityOpt", "PidsLimit", "Memory")
}

// fields checks every field of an object that is not empty, and that the required ones are there.
func fields(object map[string]any, checks map[string]check, required ...string) error {
	for name, value := range object {
		if empty(value) {
			continue
		}
		known, ok := checks[name]
		if !ok {
			return fmt.Errorf("%s: must not be set", name)
		}
		if err := known(value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range required {
		if empty(object[name]) {
			return fmt.Errorf("%s: must be set", name)
		}
	}
	return nil
}

func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case json.Number:
		return v == "0"
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}
