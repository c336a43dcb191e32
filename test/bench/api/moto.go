package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// moto is a moto_server of our own.
type moto struct {
	endpoint  string
	instances []string // ids of EC2 instances, as many as a cluster gets
	process   *exec.Cmd
	log       *os.File
}

// startMoto starts what hack/install.sh bench installed beside the programs in binDir.
func startMoto(ctx context.Context, binDir string) (*moto, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, err
	}
	log, err := os.CreateTemp("", "moto-")
	if err != nil {
		return nil, err
	}
	m := &moto{endpoint: fmt.Sprintf("http://127.0.0.1:%d", port), log: log}
	m.process = exec.Command(filepath.Join(filepath.Dir(binDir), "moto", "bin", "moto_server"), "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	m.process.Stdout, m.process.Stderr = log, log
	if err := m.process.Start(); err != nil {
		return nil, fmt.Errorf("%w (hack/install.sh bench installs it)", err)
	}
	if err := m.machines(ctx); err != nil {
		text, _ := os.ReadFile(log.Name())
		m.end()
		return nil, fmt.Errorf("moto: %w\n%.2000s", err, text)
	}
	return m, nil
}

var instanceID = regexp.MustCompile(`<instanceId>(i-[0-9a-f]+)</instanceId>`)

// machines waits until moto answers and makes the EC2 instances that it wants behind container instances.
func (m *moto) machines(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	s := newServer("moto", m.endpoint)
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.endpoint[len("http://"):])
		if err == nil {
			_ = conn.Close()
			break
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
	form := url.Values{"Action": {"RunInstances"}, "Version": {"2016-11-15"}, "ImageId": {"ami-12c6146b"},
		"MinCount": {strconv.Itoa(instances)}, "MaxCount": {strconv.Itoa(instances)}, "InstanceType": {"m5.large"}}
	answer, err := s.post(ctx, "ec2", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, []byte(form.Encode()))
	if err != nil {
		return err
	}
	for _, found := range instanceID.FindAllSubmatch(answer, -1) {
		m.instances = append(m.instances, string(found[1]))
	}
	if len(m.instances) < instances {
		return fmt.Errorf("RunInstances made %d instances: %.300s", len(m.instances), answer)
	}
	m.instances = m.instances[:instances]
	return nil
}

func (m *moto) end() {
	_ = m.process.Process.Kill()
	_ = m.process.Wait()
	_ = m.log.Close()
	_ = os.Remove(m.log.Name())
}
