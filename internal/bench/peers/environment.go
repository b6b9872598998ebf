package main

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// errNoJava says that a peer cannot run here.
var errNoJava = errors.New("it needs Java")

//go:embed python
var scripts embed.FS

// environment makes a Python environment with the packages that a peer needs, in the user's cache folder under a name that holds
// the hash of the list, where later runs find it.
func environment(p peer) (interpreter string, err error) {
	if p.java {
		if out, err := exec.Command("java", "-version").CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: java -version: %w %s", errNoJava, err, out)
		}
	}
	requirements, err := scripts.ReadFile("python/" + p.requirements)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(requirements)
	folder := filepath.Join(cache, "launchlake", "peers-"+hex.EncodeToString(hash[:6]))
	interpreter = filepath.Join(folder, "bin", "python")
	complete := filepath.Join(folder, "complete")
	if _, err := os.Stat(complete); err == nil {
		return interpreter, nil
	}
	fmt.Fprintf(os.Stderr, "installing %s into %s\n", strings.Join(strings.Fields(string(requirements)), ", "), folder)
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", err
	}
	list := folder + ".txt"
	if err := os.WriteFile(list, requirements, 0o644); err != nil {
		return "", err
	}
	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", folder},
		{interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", list},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return interpreter, os.WriteFile(complete, nil, 0o644)
}

// unpackScripts writes the peers' scripts into a folder.
func unpackScripts(folder string) error { return os.CopyFS(folder, scripts) }
