package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"
)

// load is what a server is asked.
type load struct{ questions, window int }

const sockets = 4

// ask asks a server and answers its processor time for one question.
func (l load) ask(ctx context.Context, p *peer) (time.Duration, error) {
	before, err := processorTime(p.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	g, ctx := errgroup.WithContext(ctx)
	for s := range sockets {
		g.Go(func() error { return l.one(ctx, p.port, s) })
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	after, err := processorTime(p.cmd.Process.Pid)
	return (after - before) / time.Duration(l.questions/sockets*sockets), err
}

var errWrong = errors.New("a wrong answer")

// one keeps a number of questions on their way by one socket until all of its part are answered. Every answer is looked at.
func (l load) one(ctx context.Context, port, s int) error {
	c, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	packets, err := packets()
	if err != nil {
		return err
	}
	b := make([]byte, 512)
	total := l.questions / sockets
	sent, got := 0, 0
	for got < total {
		for ; sent < total && sent-got < l.window/sockets; sent++ {
			i := (sent*7 + s*251) % names
			binary.BigEndian.PutUint16(packets[i], uint16(i))
			if _, err := c.Write(packets[i]); err != nil {
				return err
			}
		}
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return err
		}
		n, err := c.Read(b)
		if err != nil {
			return fmt.Errorf("%d of %d answers: %w", got, total, err)
		}
		i := int(binary.BigEndian.Uint16(b)) + 4
		if n < 40 || b[3]&15 != dns.RcodeSuccess || b[7] != 1 || !bytes.Contains(b[40:n], []byte{0, 4, 10, 0, byte(i / 256), byte(i % 256)}) {
			return fmt.Errorf("%w: %x", errWrong, b[:n])
		}
		got++
	}
	return nil
}

func packets() ([][]byte, error) {
	out := make([][]byte, names)
	for i := range out {
		m := new(dns.Msg)
		_, name := host(i)
		m.SetQuestion(name, dns.TypeA)
		raw, err := m.Pack()
		if err != nil {
			return nil, err
		}
		out[i] = raw
	}
	return out, nil
}

// processorTime is what a process has used of processors, by the kernel's accounting of its threads.
func processorTime(pid int) (sum time.Duration, err error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0, err
	}
	for _, t := range threads {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, t.Name()))
		if err != nil {
			return 0, err
		}
		var ns int64
		if _, err := fmt.Fscan(strings.NewReader(string(text)), &ns); err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}
