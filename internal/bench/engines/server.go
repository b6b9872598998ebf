package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"launchlake/internal/sparktest"
)

const stopTimeout = 30 * time.Second

// onSpark does the work on a JVM of its own.
func onSpark(ctx context.Context, o options, folder, lake string) (f figure, err error) {
	home := os.Getenv("SPARK_HOME")
	if home == "" {
		if home, err = sparktest.Home(); err != nil {
			return f, fmt.Errorf("SPARK_HOME is not set, and: %w", err)
		}
	}
	address, err := sparktest.FreeAddress()
	if err != nil {
		return f, err
	}
	_, port, _ := net.SplitHostPort(address)
	log, err := os.Create(filepath.Join(folder, "spark.log"))
	if err != nil {
		return f, err
	}
	defer log.Close()
	server := exec.Command(filepath.Join(home, "bin", "spark-submit"), "--master", o.master, "--driver-memory", o.memory, "--packages", sparktest.DeltaJar,
		"--conf", "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension",
		"--conf", "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog",
		"--conf", "spark.connect.grpc.binding.address=127.0.0.1", "--conf", "spark.connect.grpc.binding.port="+port,
		"--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.ui.enabled=false", "--conf", "spark.log.level=WARN",
		"--conf", "spark.local.dir="+filepath.Join(folder, "local"), "--conf", "spark.sql.warehouse.dir="+filepath.Join(folder, "warehouse"),
		"--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal")
	server.Env = append(os.Environ(), "SPARK_HOME="+home, "SPARK_NO_DAEMONIZE=1", "SPARK_LOCAL_IP=127.0.0.1", "LC_ALL=C.UTF-8")
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil { // spark-submit becomes the JVM: the process has its peak
		return f, err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- server.Wait()
		close(ended) // more than one may ask
	}()
	if err = sparktest.WaitReady(ctx, address, ended); err == nil {
		f, err = transform(ctx, o, "ENGINE=spark", "SPARK_REMOTE=sc://"+address, "LAKE_URL="+lake)
	}
	if stopped := stop(server, ended); stopped != nil || err != nil {
		said, _ := os.ReadFile(log.Name())
		return f, fmt.Errorf("%w; Spark says:\n%s", errors.Join(err, stopped), said[max(0, len(said)-4000):])
	}
	usage := server.ProcessState.SysUsage().(*syscall.Rusage)
	f.jvm, f.jvmCPU = peak(usage), processor(usage)
	return f, nil
}

// stop ends the server; that it ends by a signal is no failure.
func stop(server *exec.Cmd, ended <-chan error) error {
	if err := server.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		_ = server.Process.Kill()
		<-ended
	}
	return nil
}
