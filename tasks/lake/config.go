package main

import (
	"os"
	"strconv"

	"launchlake/internal/task"
)

// loadConfig reads a task's configuration from the environment, the lake of the command line included.
func loadConfig(s *session, config any) error {
	for name, value := range map[string]string{
		"LAKE_URL":      s.config.URL,
		"S3_ENDPOINT":   s.config.S3Endpoint,
		"S3_PATH_STYLE": strconv.FormatBool(s.config.S3PathStyle),
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return task.Load(config)
}
