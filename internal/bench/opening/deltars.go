package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// deltaRSPackage is what pip installs.
const deltaRSPackage = "deltalake==1.6.6"

//go:embed open.py
var deltaRSScript []byte

// deltaRS finds a Python with deltalake, or makes an environment for it, and the script that opens tables by it.
func (s settings) deltaRS() (interpreter, script string, err error) {
	script = filepath.Join(s.folder, "open.py")
	if err := os.WriteFile(script, deltaRSScript, 0o644); err != nil {
		return "", "", err
	}
	if s.python != "" {
		return s.python, script, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	folder := filepath.Join(cache, "launchlake", "opening-"+strings.ReplaceAll(deltaRSPackage, "==", "-"))
	interpreter = filepath.Join(folder, "bin", "python")
	complete := filepath.Join(folder, "complete")
	if _, err := os.Stat(complete); err == nil {
		return interpreter, script, nil
	}
	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", folder},
		{interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", deltaRSPackage},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return interpreter, script, os.WriteFile(complete, nil, 0o644)
}
