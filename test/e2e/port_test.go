package e2e

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// answers waits until a URL answers want.
func answers(t testing.TB, url, want string) {
	t.Helper()
	installation.Eventually(t, url, func(context.Context) error {
		got, err := fetch(url)
		if err == nil && got != want {
			err = fmt.Errorf("it answers %q, want %q", got, want)
		}
		return err
	})
}

// datagram sends one and answers what comes back.
func datagram(to, say string) (string, error) {
	c, err := net.Dial("udp4", to)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := c.Write([]byte(say)); err != nil {
		return "", err
	}
	b := make([]byte, 1024)
	n, err := c.Read(b)
	return string(b[:n]), err
}

func answersDatagram(t testing.TB, to, want string) {
	t.Helper()
	installation.Eventually(t, "udp "+to, func(context.Context) error {
		got, err := datagram(to, "hello")
		if err == nil && got != want {
			err = fmt.Errorf("it answers %q, want %q", got, want)
		}
		return err
	})
}

// A published port answers on loopback and on the machine's address, to the container itself and to its neighbours.
func TestPublishedPortIsReachedFromEverywhere(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, peer("one", "tcp:80", "udp:53"), peer("two", "tcp:80")))
	one, two := hostPort(t, task, "one", 80), hostPort(t, task, "two", 80)
	machine := machineAddress(t)
	for _, port := range []string{one, two} {
		if n, _ := strconv.Atoi(port); n < 49153 || n > 65535 {
			t.Errorf("dynamic host port %s is outside 49153-65535", port)
		}
	}
	answers(t, "http://127.0.0.1:"+one, "one")
	answers(t, "http://"+machine+":"+one, "one")
	answers(t, "http://127.0.0.1:"+two, "two")
	base := "http://127.0.0.1:" + one
	answers(t, inside(base, "http://"+machine+":"+one), "one") // hairpin
	answers(t, inside(base, "http://"+machine+":"+two), "two") // neighbour
	var udp string
	for _, b := range containerOf(t, task, "one").NetworkBindings {
		if b.Protocol == types.TransportProtocolUdp {
			udp = strconv.Itoa(int(*b.HostPort))
			equal(t, "bindIP", aws.ToString(b.BindIP), "0.0.0.0")
		}
	}
	answersDatagram(t, "127.0.0.1:"+udp, "one hello")
	answersDatagram(t, machine+":"+udp, "one hello")
	answers(t, base+"/udp?say=x&to="+machine+":"+udp, "one x")
	stop(t, *task.TaskArn)
	if got, err := fetch(base); err == nil {
		t.Errorf("the port of a stopped task answers %q", got)
	}
}

func TestStaticPort(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	c := peer("main", "tcp:80", "udp:80")
	c.PortMappings = []types.PortMapping{mapping(80, port, types.TransportProtocolTcp), mapping(80, port, types.TransportProtocolUdp)}
	task := running(t, define(t, c))
	at := "127.0.0.1:" + strconv.Itoa(int(port))
	equal(t, "host port", hostPort(t, task, "main", 80), strconv.Itoa(int(port)))
	answers(t, "http://"+at, "main")
	answersDatagram(t, at, "main hello")
	stop(t, *task.TaskArn)
	again := running(t, define(t, c)) // it is free again at once
	answers(t, "http://"+at, "main")
	answersDatagram(t, at, "main hello")
	stop(t, *again.TaskArn)
}

func TestPortRange(t *testing.T) {
	t.Parallel()
	c := peer("main", "tcp:8000", "tcp:8001", "tcp:8002")
	c.PortMappings = []types.PortMapping{{ContainerPortRange: aws.String("8000-8002")}}
	task := running(t, define(t, c))
	bindings := containerOf(t, task, "main").NetworkBindings
	if len(bindings) != 1 {
		t.Fatalf("bindings %+v, want one range", bindings)
	}
	equal(t, "containerPortRange", aws.ToString(bindings[0].ContainerPortRange), "8000-8002")
	low, high, _ := strings.Cut(aws.ToString(bindings[0].HostPortRange), "-")
	equal(t, "ports of the range "+aws.ToString(bindings[0].HostPortRange), number(high)-number(low), 2)
	for n := number(low); n <= number(high) && n > 0; n++ {
		answers(t, "http://127.0.0.1:"+strconv.Itoa(int(n)), "main")
	}
}
