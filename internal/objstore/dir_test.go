package objstore_test

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/objstore"
)

func TestDirMakesItsFolderAtTheFirstWriteAndReadsEmptyBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lake")
	dir := newDir(t, path)
	wantListed(t, dir, "")
	if _, err := objstore.ReadAll(t.Context(), dir, "a"); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("get: %v", err)
	}
	if err := dir.Delete(t.Context(), "a/b"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made the folder: %v", err)
	}
	if err := dir.PutIfAbsent(t.Context(), "a/b", nil); err != nil {
		t.Fatal(err)
	}
	wantListed(t, dir, "", "a/b")
}

func TestDirWritesAgainAfterItsFolderWasRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lake")
	dir := newDir(t, path)
	for range 2 {
		if err := dir.PutIfAbsent(t.Context(), "a/b/c", nil); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDirWithoutAFolderIsUnavailableAndSaysWhere(t *testing.T) {
	base := t.TempDir()
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ root, want string }{
		"a parent that does not exist": {filepath.Join(base, "typo", "lake"), filepath.Join(base, "typo") + " does not exist"},
		"a file":                       {file, file + " is a file"},
		"below a file":                 {filepath.Join(file, "lake"), file + " does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			for op, err := range allErrors(t, newDir(t, c.root)) {
				if !errors.Is(err, objstore.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
					t.Errorf("%s: %v", op, err)
				}
				if isWrite := strings.HasPrefix(op, "put"); isWrite && !errors.Is(err, objstore.ErrNotStored) {
					t.Errorf("%s: error %v does not match ErrNotStored", op, err)
				}
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: error %v does not say %q", op, err, c.want)
				}
			}
		})
	}
}

const deniedRoot = "OBJSTORE_TEST_DENIED_ROOT"

func TestDirThatMayNotBeWrittenIsDenied(t *testing.T) {
	if os.Getuid() == 0 && os.Getenv(deniedRoot) == "" {
		asNobody(t)
		return
	}
	root := os.Getenv(deniedRoot)
	if root == "" {
		root = readOnlyFolder(t)
	}
	dir := newDir(t, root)
	for _, store := range []*objstore.Dir{dir, newDir(t, filepath.Join(root, "lake"))} {
		err := store.Put(t.Context(), "new/k", strings.NewReader("x"))
		created := store.PutIfAbsent(t.Context(), "k", nil)
		for op, err := range map[string]error{"put": err, "put if absent": created} {
			if !errors.Is(err, objstore.ErrDenied) || !errors.Is(err, objstore.ErrNotStored) || !strings.Contains(err.Error(), store.Path()) {
				t.Errorf("%s: %v", op, err)
			}
		}
	}
	if err := dir.Delete(t.Context(), "there"); !errors.Is(err, objstore.ErrDenied) {
		t.Errorf("delete: %v", err)
	}
	if _, err := dir.Get(t.Context(), "secret", 0, -1); !errors.Is(err, objstore.ErrDenied) {
		t.Errorf("get: %v", err)
	}
	wantListed(t, dir, "", "secret", "there")
}

func readOnlyFolder(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	err := errors.Join(os.Mkdir(root, 0o755), os.WriteFile(filepath.Join(root, "there"), nil, 0o644),
		os.WriteFile(filepath.Join(root, "secret"), nil, 0o000), os.Chmod(root, 0o555))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(root, 0o755) })
	return root
}

// asNobody runs the test again as a user whom permissions bind.
func asNobody(t *testing.T) {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "objstore-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	self, program := os.Args[0], filepath.Join(base, "test")
	data, err := os.ReadFile(self)
	if err = errors.Join(err, os.Chmod(base, 0o755), os.WriteFile(program, data, 0o755)); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "-test.run=^"+t.Name()+"$", "-test.v")
	command.Dir = base
	command.Env = append(os.Environ(), deniedRoot+"="+readOnlyIn(t, base))
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	output, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, output)
	}
}

func readOnlyIn(t *testing.T, base string) string {
	t.Helper()
	root := filepath.Join(base, "root")
	if err := os.Rename(readOnlyFolder(t), root); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestLeftoversOfAKilledWriterAreInvisible(t *testing.T) {
	path := t.TempDir()
	dir := newDir(t, path)
	if err := dir.PutIfAbsent(t.Context(), "log/0", []byte("zero")); err != nil {
		t.Fatal(err)
	}
	leftover := objstore.TempPrefix + "ABC"
	if err := os.WriteFile(filepath.Join(path, "log", leftover), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantListed(t, dir, "", "log/0")
	wantListed(t, dir, "log/"+objstore.TempPrefix)
	if _, err := dir.Get(t.Context(), "log/"+leftover, 0, -1); err == nil {
		t.Error("a key reaches the leftover")
	}
}

func TestAFailedOrLosingWriteLeavesNoFile(t *testing.T) {
	path := t.TempDir()
	dir := newDir(t, path)
	broken := errors.New("source broke")
	if err := dir.PutIfAbsent(t.Context(), "a", []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := dir.PutIfAbsent(t.Context(), "a", []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	body := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
	if err := dir.Put(t.Context(), "b", body); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := os.Mkdir(filepath.Join(path, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{dir.Put(t.Context(), "folder", strings.NewReader("x")), dir.PutIfAbsent(t.Context(), "folder", nil)} {
		if !errors.Is(err, objstore.ErrNotStored) || errors.Is(err, fs.ErrExist) {
			t.Errorf("object with the name of a folder: %v", err)
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"a", "folder"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// A folder that cannot be read shows that the listing did not enter it.
func TestAListingOfTheLogDoesNotEnterTheDataFolders(t *testing.T) {
	path := t.TempDir()
	dir := newDir(t, path)
	for _, key := range []string{"_delta_log/0", "_delta_log/1", "day=1/x", "day=2/x", "t"} {
		if err := dir.PutIfAbsent(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	// A link to itself fails for root too, when it is followed.
	for _, loop := range []string{"day=1/loop", "day=2/loop"} {
		if err := os.Symlink("loop", filepath.Join(path, loop)); err != nil {
			t.Fatal(err)
		}
	}
	wantListed(t, dir, "_delta_log/", "_delta_log/0", "_delta_log/1")
	wantListed(t, dir, "_delta_log", "_delta_log/0", "_delta_log/1")
	wantListed(t, dir, "t", "t")
	for info, err := range dir.List(t.Context(), "", "day=2/zzz") {
		if err != nil || info.Key != "t" {
			t.Errorf("after the data folders: %v, %v", info, err)
		}
	}
	failed := false
	for _, err := range dir.List(t.Context(), "", "") {
		failed = failed || err != nil
	}
	if !failed {
		t.Error("the trap does not work: a listing of all entered the folders without an error")
	}
}

// Several processes write to one folder: each in turn is killed and the rest goes on.
func TestObjectsOfAKilledProcessAreWholeOrAbsent(t *testing.T) {
	const variable = "OBJSTORE_TEST_WRITER"
	body := strings.Repeat("0123456789", 200_000)
	if root := os.Getenv(variable); root != "" {
		writeForever(t, newDir(t, root), body)
	}
	root := t.TempDir()
	for range 5 {
		writer := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		writer.Env = append(os.Environ(), variable+"="+root)
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		waitForAnother(t, root)
		if err := writer.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = writer.Wait()
	}
	count := 0
	for info, err := range newDir(t, root).List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if count++; info.Size != int64(len(body)) {
			t.Errorf("%s has %d bytes of %d", info.Key, info.Size, len(body))
		}
	}
	if count == 0 {
		t.Error("no process wrote anything before it was killed")
	}
}

// waitForAnother waits until there is an object more than now, and then for a moment.
func waitForAnother(t *testing.T, root string) {
	t.Helper()
	count := func() (n int) {
		for range newDir(t, root).List(t.Context(), "", "") {
			n++
		}
		return n
	}
	for before := count(); count() == before; time.Sleep(time.Millisecond) {
	}
	time.Sleep(rand.N(20 * time.Millisecond))
}

func writeForever(t *testing.T, dir *objstore.Dir, body string) {
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for n := 0; ; n++ {
				key := time.Now().Format("150405.000000000")
				err := dir.Put(t.Context(), "put/"+key, strings.NewReader(body))
				if err = errors.Join(err, dir.PutIfAbsent(t.Context(), "created/"+key, []byte(body))); err != nil && !errors.Is(err, fs.ErrExist) {
					os.Exit(1)
				}
			}
		})
	}
	group.Wait()
}

func allErrors(t *testing.T, dir *objstore.Dir) map[string]error {
	t.Helper()
	_, getErr := dir.Get(t.Context(), "a/b", 0, -1)
	var listErr error
	for _, err := range dir.List(t.Context(), "a/", "") {
		listErr = err
	}
	return map[string]error{
		"get": getErr, "list": listErr, "delete": dir.Delete(t.Context(), "a/b"),
		"put":           dir.Put(t.Context(), "a/b", strings.NewReader("x")),
		"put if absent": dir.PutIfAbsent(t.Context(), "a/b", nil),
	}
}

func wantListed(t *testing.T, dir *objstore.Dir, prefix string, want ...string) {
	t.Helper()
	var got []string
	for info, err := range dir.List(t.Context(), prefix, "") {
		if err != nil {
			t.Errorf("list %q: %v", prefix, err)
			return
		}
		got = append(got, info.Key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list %q (-want +got):\n%s", prefix, diff)
	}
}
