// Package sparktest gives tests a Spark Connect server that reads Delta tables.
//
// The server is started at the first call of [Remote] in a test process and ends with the process, however that ends. It is
// the one of the Python package pyspark, which is installed once into the user's cache folder; Delta's jars are fetched
// from Maven Central by their coordinates and kept by Ivy. It needs Java 17 or later.
//
// LAKE_TEST_SPARK=sc://host:port names a server that runs already. A test that can have none is skipped, unless
// LAKE_TEST_REQUIRE, a list with commas, names "spark".
package sparktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"launchlake/internal/pythontest"
)

// What is installed. The versions belong together: they are those of deploy/spark.
const (
	requirements = "pyspark==4.1.4\n"
	DeltaJar     = "io.delta:delta-spark_4.1_2.13:4.4.0" // Maven coordinates
)

// Remote returns the connection string of the server.
func Remote(t testing.TB) string {
	t.Helper()
	if given := os.Getenv("LAKE_TEST_SPARK"); given != "" {
		return given
	}
	remote, err := start()
	switch {
	case err == nil:
	case slices.Contains(strings.Split(os.Getenv("LAKE_TEST_REQUIRE"), ","), "spark"):
		t.Fatalf("LAKE_TEST_REQUIRE names spark, and it does not run: %v", err)
	default:
		t.Skipf("needs Spark: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last that Spark says:\n%s", lastWords())
		}
	})
	return remote
}

// startTimeout has room for the jars' first download.
const startTimeout = 5 * time.Minute

var start = sync.OnceValues(func() (string, error) {
	if out, err := exec.Command("java", "-version").CombinedOutput(); err != nil {
		return "", fmt.Errorf("java -version: %w\n%s", err, out)
	}
	home, err := Home()
	if err != nil {
		return "", err
	}
	// Ivy's cache is not made for two at once. The worker of package integration takes this lock too.
	unlock, err := pythontest.Lock(filepath.Join(os.TempDir(), "launchlake-ivy.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	return launch(home)
})

// Home is the folder of a Spark installation, which is made when there is none yet.
func Home() (string, error) {
	interpreter, err := pythontest.Environment([]byte(requirements))
	if err != nil {
		return "", err
	}
	out, err := exec.Command(interpreter, "-c", "import os, pyspark; print(os.path.dirname(pyspark.__file__))").Output()
	if err != nil {
		return "", fmt.Errorf("find pyspark: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// untilTheEnd runs a program until it ends, or standard input does, which it does with the test process, also if that
// was killed; then it removes the folder $1.
const untilTheEnd = `folder=$1; shift
exec 3<&0
"$@" 3<&- </dev/null & server=$!
(cat <&3 >/dev/null; kill -9 $server; rm -rf "$folder") &
wait $server`

// lifeline is the write end of the server's pipe. Held here, the garbage collector does not close it.
var lifeline io.Closer

// logFile is what the server writes to.
var logFile string

// lastWords is the end of the server's log.
func lastWords() []byte {
	const most = 4000
	said, _ := os.ReadFile(logFile)
	return said[max(0, len(said)-most):]
}

// launch starts the server of an installation of Spark.
func launch(home string) (remote string, err error) {
	address, err := FreeAddress()
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "sparktest-")
	if err != nil {
		return "", err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	logFile = log.Name()
	arguments := append([]string{"-c", untilTheEnd, "sh", folder, filepath.Join(home, "bin", "spark-submit")}, submit(address, folder)...)
	server := exec.Command("sh", arguments...)
	server.Env = append(os.Environ(), "SPARK_HOME="+home, "SPARK_NO_DAEMONIZE=1", "SPARK_LOCAL_IP=127.0.0.1",
		"LC_ALL=C.UTF-8") // by which Java knows how names of files are spelled
	server.Stdout, server.Stderr = log, log
	server.Dir = folder
	if lifeline, err = server.StdinPipe(); err != nil {
		return "", err
	}
	if err := server.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	if err := WaitReady(context.Background(), address, ended); err != nil {
		return "", fmt.Errorf("start Spark Connect: %w; it says:\n%s", err, lastWords())
	}
	return "sc://" + address, nil
}

// submit are spark-submit's arguments. Tests run many small statements: what pays for large ones is off.
func submit(address, folder string) []string {
	host, port, _ := net.SplitHostPort(address)
	arguments := []string{
		"--master", "local[2]", "--driver-memory", "2g", "--packages", DeltaJar,
		"--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
		"--driver-java-options", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss8m",
	}
	for _, property := range []string{
		"spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension",
		"spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog",
		"spark.connect.grpc.binding.address=" + host,
		"spark.connect.grpc.binding.port=" + port,
		"spark.driver.host=127.0.0.1",
		"spark.ui.enabled=false",
		"spark.log.level=WARN",
		"spark.local.dir=" + filepath.Join(folder, "local"),
		"spark.sql.warehouse.dir=" + filepath.Join(folder, "warehouse"),
		"spark.sql.shuffle.partitions=2",
		"spark.databricks.delta.snapshotPartitions=1",
		"spark.sql.codegen.wholeStage=false",
		"spark.sql.codegen.factoryMode=NO_CODEGEN",
	} {
		arguments = append(arguments, "--conf", property)
	}
	return append(arguments, "spark-internal")
}

// Ports below those that the system gives to whoever asks for any: until the server takes its port nobody gets it by chance, as this
// server's own parts would, which ask before it.
const (
	firstPort = 20000
	lastPort  = 32000
)

// FreeAddress gives an address of this machine, host:port, that nobody listens at.
func FreeAddress() (string, error) {
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+rand.IntN(lastPort-firstPort)))
		if listener, err := net.Listen("tcp", address); err == nil {
			return address, listener.Close()
		}
	}
	return "", fmt.Errorf("no free port found from %d to %d", firstPort, lastPort)
}

// WaitReady waits until the server at an address answers. It gives up when the server has ended, with the error that ended tells, or does not
// answer in time: there is enough of that for the jars' first download.
func WaitReady(ctx context.Context, address string, ended <-chan error) error {
	deadline := time.After(startTimeout)
	for {
		failed := Greet(address)
		if failed == nil {
			return nil
		}
		select {
		case err := <-ended:
			return errors.Join(errors.New("it ended"), err)
		case <-deadline:
			return fmt.Errorf("no answer at %s in %v: %w", address, startTimeout, failed)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Greet begins a connection of HTTP/2 (RFC 9113, section 3.4), as gRPC has it, and waits for the server to do so too. An error says that no
// Spark Connect is ready at the address.
func Greet(address string) error {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	const settings = 4 // the type of the frame that both begin with
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		return err
	}
	var frame [9]byte
	if _, err := io.ReadFull(conn, frame[:]); err != nil {
		return err
	}
	if frame[3] != settings {
		return fmt.Errorf("it does not speak HTTP/2: it begins with %x", frame)
	}
	return nil
}
